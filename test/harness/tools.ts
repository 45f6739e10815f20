import type { ProviderTools } from '../../src/providers/base/provider.ts'

/** What a provider is given, for tests: clocks that stand still, tokens that decode to their numbers. */
export const tools: ProviderTools = {
  clock: { now: () => 1234, epochMs: () => Date.UTC(2026, 0, 1) },
  detokenizer: { decode: async (tokens) => tokens.map((token) => `<${token}>`).join('') },
  userAgent: 'tester/1',
}
