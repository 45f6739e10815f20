import { openaiCompatible } from './openai-compatible.ts'
import { pandotate } from './pandotate.ts'
import type { Provider } from './provider.ts'
import { simulator } from './simulator.ts'

/** Every kind of upstream there is. */
export const providers: readonly Provider[] = [pandotate, openaiCompatible, simulator]
