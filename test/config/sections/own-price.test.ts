import { describe, expect, test } from 'vitest'
import type { OwnPrices } from '../../../src/catalog/own-prices.ts'
import { loadConfig } from '../../../src/config.ts'
import { unknownPrice } from '../../../src/core/model/price.ts'
import { providers } from '../../../src/providers/all.ts'
import { refusal } from '../load.ts'

const perSecond = (nanoUsd: number) => ({ ...unknownPrice, nanoUsdPerSecond: nanoUsd })

describe('a price of the operator’s own', () => {
  test.for<[string, OwnPrices]>([
    ['{ perSecond: 1 }', [{ price: perSecond(1e9) }]],
    ['[{ perSecond: 1 }]', [{ price: perSecond(1e9) }]],
    ['[{ from: 2026-12-01, perSecond: 1 }]', [{ from: '2026-12-01', price: perSecond(1e9) }]],
    [
      '[{ from: 2026-12-01, perSecond: 2 }, { perSecond: 1 }, { from: "2027-01-01", perSecond: 3 }]',
      [
        { from: '2027-01-01', price: perSecond(3e9) },
        { from: '2026-12-01', price: perSecond(2e9) },
        { price: perSecond(1e9) },
      ],
    ],
    ['{ gpu: H100 }', [{ gpu: 'H100', gpus: 1 }]],
    ['{ gpu: 4090, gpus: 2 }', [{ gpu: '4090', gpus: 2 }]],
    [
      '[{ gpu: A100 }, { from: 2026-12-01, gpu: H100, gpus: 8 }]',
      [
        { from: '2026-12-01', gpu: 'H100', gpus: 8 },
        { gpu: 'A100', gpus: 1 },
      ],
    ],
  ])('%s is a list, the latest first', ([written, price]) => {
    expect(load(written).routes[0]?.deployments[0]?.price).toStrictEqual(price)
  })

  const day = 'expected a day in UTC, such as 2026-12-01, that no other entry has; one entry may have none'
  const amount = 'expected USD as a decimal number of at least 0, with 9 decimals at most'
  const entry =
    'expected a section with input and output (and cachedInput) in USD per million tokens, with perSecond in USD, or with gpu (and gpus); perRequest comes on top'
  const card =
    'expected hardware that its provider has a price for: at baseten L4, A10G, H100-MIG, A100, H100, B200; at runpod 16GB, 24GB, 48GB, A40, L40S, 4090, A100, 96GB, H100, H200, B200'
  test.for<[string, string]>([
    [
      '[]',
      `price: found an empty list, ${entry}; or a list of such sections, each with the day from which it applies`,
    ],
    ['[{ from: today, perSecond: 1 }]', `price[0].from: found "today", ${day}`],
    ['[{ from: 2026-02-30, perSecond: 1 }]', `price[0].from: found "2026-02-30", ${day}`],
    ['[{ from: 2026-12, perSecond: 1 }]', `price[0].from: found "2026-12", ${day}`],
    ['[{ from: 20261201, perSecond: 1 }]', `price[0].from: found 20261201, ${day}`],
    [
      '[{ from: 2026-12-01, perSecond: 1 }, { from: 2026-12-01, perSecond: 2 }]',
      `price[1].from: found "2026-12-01", ${day}`,
    ],
    ['[{ perSecond: 1 }, { perSecond: 2 }]', `price[1].from: missing, ${day}`],
    ['[{ perSecond: 1 }, { from: 2026-12-01, perSecond: -2 }]', `price[1].perSecond: found -2, ${amount}`],
    ['[{ perSecond: 1 }, { from: 2026-12-01 }]', `price[1]: found a section with none of them, ${entry}`],
    ['[{ perSecond: 1 }, 3]', `price[1]: found a number, ${entry}`],
    [
      '[{ perSecond: 1 }, { from: 2026-12-01, perSecond: 2, perSecnd: 2 }]',
      'price[1].perSecnd: is not a setting, expected from, input, cachedInput, output, perSecond, perRequest, gpu, gpus; did you mean perSecond?',
    ],
    [
      '{ from: 2026-12-01, perSecond: 2 }',
      'price.from: is not a setting, expected input, cachedInput, output, perSecond, perRequest, gpu, gpus',
    ],
    ['{ gpu: H1 }', `price.gpu: found "H1", ${card}`],
    ['{ gpu: L4 }', `price.gpu: found "L4", ${card}`],
    ['[{ perSecond: 1 }, { from: 2026-12-01, gpu: 4091 }]', `price[1].gpu: found 4091, ${card}`],
    ['{ gpu: H100, gpus: 0 }', 'price.gpus: found 0, expected a whole number from 1 to 64'],
  ])('%s is refused', ([written, told]) => {
    expect(report(written)).toEqual([`gateway.yaml:8: models.a.deployments[0].${told}`])
  })

  test.for([
    '{ gpu: H100, perSecond: 1 }',
    '{ gpu: H100, input: 1 }',
    '{ gpus: 2 }',
    '{ perSecond: 1, gpus: 2 }',
  ])('%s is refused: it is not one price', (written) => {
    expect(report(written)).toEqual([
      expect.stringMatching(/^gateway\.yaml:8: models\.a\.deployments\[0\]\.price: /),
    ])
  })

  test.for(['simulator', 'together', 'local'])('of hardware is refused at %s', (provider) => {
    expect(report('{ gpu: H100 }', provider)).toEqual([
      `gateway.yaml:8: models.a.deployments[0].price.gpu: found "H100", ${card}`,
    ])
  })

  test('of hardware goes by the provider’s type, whatever it is called', () => {
    expect(load('{ gpu: L4 }', 'mine').routes[0]?.deployments[0]?.price).toEqual([{ gpu: 'L4', gpus: 1 }])
    expect(report('{ gpu: H200 }', 'mine')).toHaveLength(1)
  })
})

function load(price: string, provider = 'runpod') {
  const file = `providers:
  runpod: { endpointId: abc }
  mine: { type: baseten, deployment: { model: abc } }
  local: { type: openai-compatible, baseUrl: 'http://127.0.0.1:1/v1' }
  together: {}
models:
  a:
    deployments: [{ provider: ${provider}, price: ${price} }]
`
  return loadConfig({ environment: {}, readFile: (path) => fileAt(path, file), providers })
}

function fileAt(path: string, file: string): string {
  if (path === 'gateway.yaml') return file
  throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
}

function report(price: string, provider?: string): readonly string[] {
  return refusal(() => load(price, provider)).lines
}
