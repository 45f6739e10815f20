import { chat } from './chat.ts'
import { completions } from './completions.ts'
import type { Dialect } from './dialect.ts'
import { inference } from './inference.ts'

/** Every dialect that is served. */
export const dialects: readonly Dialect[] = [inference, completions, chat]
