/** The default answer of a simulated model. It says that it is simulated, and repeats the start of the prompt. */
export function answerText(model: string, prompt: string): string {
  const asked = startOf(prompt)
  const began = asked === '' ? 'your prompt was empty' : `your prompt began with: "${asked}"`
  return (
    'Hello from the simulator. No model was run for this answer: it is made up, and the same request ' +
    `always gets the same one. You asked for ${startOf(model)} and ${began}`
  )
}

/** The reasoning of a simulated model. */
export const reasoningText =
  'Somebody asks me something, and I am only simulated. I had better be friendly and brief.'

/** `count` meaningless words. */
export function fillerWords(count: number): string {
  return Array.from({ length: count }, (_, index) => vocabulary[index % vocabulary.length]).join(' ')
}

/**
 * The words of a text, each with the white space before it; the last one also with the white space after it. Joined,
 * they are the text.
 */
export function splitWords(text: string): readonly string[] {
  if (text.trim() === '') return text === '' ? [] : [text]
  return text.match(/\s*\S+(?:\s+$)?/g) ?? []
}

export function countWords(text: string): number {
  return text.match(/\S+/g)?.length ?? 0
}

/** The text before the first stop string in it. */
export function beforeStop(text: string, stop: readonly string[]): string {
  let end = text.length
  for (const word of stop) {
    const at = word === '' ? -1 : text.indexOf(word)
    if (at !== -1 && at < end) end = at
  }
  return text.slice(0, end)
}

const vocabulary = [
  ...['river', 'stone', 'lantern', 'meadow', 'copper', 'willow', 'harbor', 'ember'],
  ...['thunder', 'saffron', 'cloud', 'anchor', 'velvet', 'pepper', 'orchard', 'feather'],
]

/** The first 80 characters, on one line. */
function startOf(text: string): string {
  const head = text.slice(0, 400).replace(/\s+/g, ' ').trim()
  const characters = [...head]
  return characters.length > 80 ? `${characters.slice(0, 80).join('')}...` : head
}
