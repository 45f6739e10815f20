import { openaiScenes } from '../node/openai-scenes.ts'
import { play } from '../node/scenes.ts'

// What a page has, and Node.js does not.
declare const location: { readonly search: string }

const asked = new URLSearchParams(location.search)
const post = (path: string, body: string) => fetch(path, { method: 'POST', body })
await play(openaiScenes(asked.get('gateway') ?? '', asked.get('key') ?? ''), (line) => post('/told', line))
await post('/over', '')
