/**
 * The last user message of a prompt that was made by a chat template (ChatML, Llama 2, 3 and 4, Mistral) or is a
 * transcript of `User:` and `Assistant:`. Other prompts are returned whole.
 */
export function lastUserTurn(prompt: string): string {
  for (const { opens, closes } of markers) {
    const turn = between(prompt, opens, closes)
    if (turn !== undefined) return opens === '[INST]' ? withoutSystemPart(turn) : turn
  }
  return prompt.endsWith(transcriptEnd) ? lastOfTranscript(prompt) : prompt
}

const markers = [
  { opens: '<|im_start|>user\n', closes: '<|im_end|>' },
  { opens: '<|start_header_id|>user<|end_header_id|>\n\n', closes: '<|eot_id|>' },
  { opens: '<|header_start|>user<|header_end|>\n\n', closes: '<|eot|>' },
  { opens: '[INST]', closes: '[/INST]' },
] as const

const transcriptEnd = '\n\nAssistant:'

function between(prompt: string, opens: string, closes: string): string | undefined {
  const mark = prompt.lastIndexOf(opens)
  if (mark === -1) return undefined
  const start = mark + opens.length
  const end = prompt.indexOf(closes, start)
  return end === -1 ? undefined : prompt.slice(start, end)
}

/**
 * Removes the system message, which Llama 2 puts into the first user turn, and the space with which some templates pad
 * a turn.
 */
function withoutSystemPart(turn: string): string {
  const system = turn.lastIndexOf(systemEnd)
  const text = system === -1 ? turn.replace(/^ /, '') : turn.slice(system + systemEnd.length)
  return text.replace(/ $/, '')
}

const systemEnd = '<</SYS>>\n\n'

function lastOfTranscript(prompt: string): string {
  const label = 'User: '
  const mark = prompt.lastIndexOf(`\n\n${label}`)
  if (mark === -1 && !prompt.startsWith(label)) return prompt
  const rest = prompt.slice(mark === -1 ? label.length : mark + 2 + label.length)
  return rest.slice(0, rest.search(/\n\n(?:Assistant|System):/))
}
