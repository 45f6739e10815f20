/** What a client's program does for each feature, and makes of it. */
export type Scenes = Readonly<Record<string, () => Promise<unknown>>>

/** Plays them one after another, and tells of each in a line. */
export async function play(scenes: Scenes, tell: (line: string) => unknown = console.log): Promise<void> {
  for (const [feature, scene] of Object.entries(scenes)) {
    try {
      await tell(JSON.stringify({ feature, seen: await scene() }))
    } catch (thrown) {
      await tell(JSON.stringify({ feature, fault: String(thrown) }))
    }
  }
}

/** The class of what is thrown, and its status where it has one. */
export async function raisedBy(ask: () => Promise<unknown>): Promise<string> {
  try {
    await ask()
    return 'nothing'
  } catch (thrown) {
    const { name } = (thrown as Error).constructor
    const { status = (thrown as { statusCode?: number }).statusCode } = thrown as { status?: number }
    return status === undefined ? name : `${name} ${status}`
  }
}

/** Asks each model that fails: `ask` is told the model, and the key where it is a wrong one. */
export function raisedByEach(
  ask: (model: string, key: string | undefined) => Promise<unknown>,
): Promise<object> {
  return eachFailing((model, key) => raisedBy(() => ask(model, key)))
}

/** What comes of each model that fails, by the status it fails with; 401 is asked for with a wrong key. */
export async function eachFailing(
  ask: (model: string, key: string | undefined) => Promise<string>,
): Promise<object> {
  const seen: Record<string, string> = {}
  for (const [status, model] of Object.entries(failing)) {
    seen[status] = await ask(model, status === '401' ? 'sk-wrong' : undefined)
  }
  return seen
}

const failing = {
  '400': 'sim-status-400',
  '401': 'sim-echo',
  '404': 'sim-status-404',
  '429': 'sim-ratelimit-1',
  '500': 'sim-status-500',
  '503': 'sim-status-503',
}

/** The pieces of a stream that say something; `leave` is called after the second. */
export async function piecesOf(
  stream: AsyncIterable<string | null | undefined>,
  leave?: () => void,
): Promise<readonly string[]> {
  const pieces: string[] = []
  for await (const piece of stream) {
    if (piece) pieces.push(piece)
    if (pieces.length === 2) leave?.()
  }
  return pieces
}

/** What came of a stream before it broke off, and what it was broken off with. */
export async function brokenOff(stream: () => AsyncIterable<string | null | undefined>): Promise<object> {
  const pieces: string[] = []
  const raised = await raisedBy(async () => {
    for await (const piece of stream()) if (piece) pieces.push(piece)
  })
  return { pieces, raised }
}

export const said = 'one two three'
export const texts = ['first text', 'second text', 'third']
export const trip = '{"city":"Paris","days":2}'
export const weatherSchema = {
  type: 'object' as const,
  properties: { city: { type: 'string' }, days: { type: 'integer' } },
  required: ['city', 'days'],
  additionalProperties: false,
}
