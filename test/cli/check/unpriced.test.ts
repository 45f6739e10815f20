import { expect, test } from 'vitest'
import { createPriceBook } from '../../../src/catalog/price-book.ts'
import { unpricedUnderBudgets } from '../../../src/cli/check/unpriced.ts'
import { loadWritten } from '../../../src/config.ts'
import { providers } from '../../../src/providers/all.ts'
import { runGateway } from '../../acceptance/gateway-process.ts'

/** `price` follows the deployment; `budget` is that of the key. */
function file(model: string, deployment: string, budget: string): string {
  return `
providers:
  vllm: { type: openai-compatible, baseUrl: 'http://127.0.0.1:1/v1' }
  together: { apiKey: abc }
auth:
  keys:
    - { name: ci, key: sk-0123456789abcdef, ${budget} }
models:
  ${JSON.stringify(model)}: { deployments: [{ ${deployment} }] }
`
}

const limited = 'budgets: [{ limitUsd: 5 }]'

test.for<[string, string, string, string, boolean]>([
  ['a model of one’s own server', 'm', 'provider: vllm', limited, true],
  ['any model there', '*', 'provider: vllm', limited, true],
  ['one under another name', 'm', 'provider: vllm, model: n', limited, true],
  ['one whose price is written', 'm', 'provider: vllm, price: { input: 1, output: 2 }', limited, false],
  ['one that is said to be free', 'm', 'provider: vllm, price: { input: 0, output: 0 }', limited, false],
  ['one that the catalogue knows', 'm', 'provider: together, model: openai/gpt-oss-20b', limited, false],
  ['any model of a provider with a list', '*', 'provider: together', limited, false],
  ['one that no budget is on', 'm', 'provider: vllm', 'budgets: [{ limitUsd: 5, models: ["x-*"] }]', false],
  [
    'one that a budget on models is on',
    'm-1',
    'provider: vllm',
    'budgets: [{ limitUsd: 5, models: ["m-*"] }]',
    true,
  ],
  ['one without any budget', 'm', 'provider: vllm', 'rpm: 5', false],
])('a check warns of what a budget would refuse: %s', ([, model, deployment, budget, warns]) => {
  const readFile = (path: string) => {
    if (path === 'gateway.yaml') return file(model, deployment, budget)
    throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' })
  }
  const { config } = loadWritten({ environment: {}, readFile, providers })
  const book = createPriceBook(config.catalog.data, config.catalog.maxPriceAgeDays)
  const warnings = unpricedUnderBudgets(config, book, Date.now())
  expect(warnings).toHaveLength(warns ? 1 : 0)
  for (const warning of warnings) {
    expect(warning).toContain('is unknown, and the budget ci')
    expect(warning).toContain(lineOf(model))
  }
})

test('the warning is printed, with the line to add', async () => {
  const { code, stdout } = await runGateway(['check'], { file: file('m', 'provider: vllm', limited) })
  expect(code, stdout).toBe(0)
  expect(stdout).toContain(lineOf('m'))
})

function lineOf(model: string): string {
  return `models: { ${JSON.stringify(model)}: { deployments: [{ provider: vllm, price: { input: 0.20, output: 0.60 } }] } }`
}
