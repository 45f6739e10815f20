/** What the words on the command line ask for; throws with the usage text when they ask for nothing known. */
export function readOptions(words: readonly string[]): Options {
  const options = { isLong: true, soakMs: 3 * 60_000, seed: 1, only: undefined as number | undefined }
  const rest = [...words]
  while (rest.length > 0) {
    const word = rest.shift()
    if (word === 'quick') options.isLong = false
    else if (word === '--minutes') options.soakMs = readNumber(rest.shift()) * 60_000
    else if (word === '--seed') options.seed = readNumber(rest.shift())
    else if (word === '--only') options.only = readNumber(rest.shift())
    else throw new Error(`unknown word: ${word}\n${usage}`)
  }
  return options
}

export type Options = {
  /** False: as short as in the tests. */
  readonly isLong: boolean
  readonly soakMs: number
  readonly seed: number
  /** The number of the one fault to play; undefined: all. */
  readonly only: number | undefined
}

function readNumber(word: string | undefined): number {
  const number = Number(word)
  if (word === undefined || !(number > 0)) throw new Error(`not a positive number: ${word}\n${usage}`)
  return number
}

const usage = `usage: npm run chaos -- [quick] [--minutes N] [--seed N] [--only FAULT]
  quick      as short as in the tests
  --minutes  how long the soak lasts, 3 when left out
  --seed     what the soak draws from, 1 when left out
  --only     the cases of one of the forty faults; the page is not written`
