/** What the words on the command line ask for; throws with the usage text when they ask for nothing known. */
export function readOptions(words: readonly string[]): Options {
  let parts: readonly Part[] | undefined
  let quick = false
  let control = false
  const rest = [...words]
  while (rest.length > 0) {
    const word = rest.shift()
    if (word === 'quick') quick = true
    else if (word === 'memory') parts = ['memory']
    else if (word === '--control') control = true
    else if (word === '--only') parts = [readPart(rest.shift())]
    else throw new Error(`unknown word: ${word}\n${usage}`)
  }
  return { parts: parts ?? (quick ? quickParts : allParts), quick, control }
}

/** What can be measured on its own. */
export type Part = 'json' | 'stream' | 'memory'

export type Options = {
  readonly parts: readonly Part[]
  readonly quick: boolean
  /** A second pass-through takes the gateway's place. */
  readonly control: boolean
}

const allParts = ['json', 'stream', 'memory'] as const
const quickParts = ['json', 'stream'] as const

function readPart(word: string | undefined): Part {
  const part = allParts.find((one) => one === word)
  if (part === undefined) throw new Error(`--only takes json, stream or memory\n${usage}`)
  return part
}

const usage = `usage: npm run bench -- [quick] [memory] [--only json|stream|memory] [--control]
  quick      a minute instead of ten, noisier, and memory only when asked for
  memory     the same as --only memory
  --control  a second pass-through in the gateway's place: shows the error of the method`
