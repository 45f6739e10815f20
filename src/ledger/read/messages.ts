import type { CallsQuestion, CountsQuestion } from '../store/calls.ts'
import type { UsageQuestion } from '../store/usage.ts'

export type Question =
  | { readonly what: 'usage'; readonly about: UsageQuestion }
  | { readonly what: 'calls'; readonly about: CallsQuestion }
  | { readonly what: 'counts'; readonly about: CountsQuestion }
  | { readonly what: 'call'; readonly about: string }
  | { readonly what: 'changes' }
