import { baseten } from './baseten.ts'
import { openaiCompatible } from './openai-compatible.ts'
import { pandotate } from './pandotate.ts'
import type { Provider } from './provider.ts'
import { runpod } from './runpod.ts'
import { simulator } from './simulator.ts'
import { together } from './together.ts'

/** Every kind of upstream there is. */
export const providers: readonly Provider[] = [
  pandotate,
  together,
  baseten,
  runpod,
  openaiCompatible,
  simulator,
]
