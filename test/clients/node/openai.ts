import { openaiScenes } from './openai-scenes.ts'
import { play } from './scenes.ts'

const [, , gateway = '', key = ''] = process.argv
await play(openaiScenes(gateway, key))
