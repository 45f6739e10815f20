/** English-looking ASCII of exactly so many bytes, the same each time, with nothing JSON would escape. */
export function prose(bytes: number): string {
  return sentence.repeat(Math.ceil(bytes / sentence.length)).slice(0, bytes)
}

const sentence =
  'The ferry leaves the harbour at seven, and by noon the islands lie behind it; a passenger at the rail then sees only water, gulls, and a thin line of smoke. '
