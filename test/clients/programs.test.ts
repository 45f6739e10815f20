import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { recipes } from '../../src/cli/init/recipes.ts'
import { startChild } from '../acceptance/child.ts'
import { type GatewayProcess, startGateway } from '../acceptance/gateway-process.ts'
import { programs, reasonAgainst, recipesPage } from './programs.ts'

const key = 'sk-programs-0123456789'

// A model of the size that people run themselves: what asks for more is refused.
const file = `
auth: { keys: [${key}] }
models:
  coder:
    deployments: [{ provider: simulator, model: sim-echo, contextTokens: 65536, maxOutputTokens: 8192 }]
`

describe('programs that people work with, set up by their recipes', () => {
  let gateway: GatewayProcess
  beforeAll(async () => {
    gateway = await startGateway({ file })
  })
  afterAll(() => gateway[Symbol.asyncDispose]())

  for (const program of programs) {
    const reason = reasonAgainst(program)
    test.skipIf(reason !== undefined)(
      `${program.id}${reason === undefined ? '' : ` (skipped: ${reason})`}`,
      async () => {
        const home = mkdtempSync(join(tmpdir(), 'gateway-program-'))
        const place = { url: gateway.url, key, model: 'coder', contextTokens: 65_536, outputTokens: 8192 }
        const recipe = recipes.find(({ id }) => id === program.id)
        if (recipe?.file !== undefined) {
          const path = join(home, recipe.file.path.replace(/^~\//, ''))
          mkdirSync(dirname(path), { recursive: true })
          writeFileSync(path, recipe.file.text(place))
        }
        const { PATH = '' } = process.env
        const environment = {
          PATH: `${dirname(process.execPath)}:${PATH}`,
          HOME: home,
          ...recipe?.variables?.(place),
        }
        const words = program.words('coder', 'Say hello')
        const { code, stdout, stderr } = await startChild(program.path, words, { cwd: home, environment })
          .ended
        rmSync(home, { recursive: true, force: true })
        expect(code, `${stdout}${stderr}`).toBe(0)
        // The model says what it was told.
        expect(stdout).toMatch(program.id === 'aider' ? /\S/ : /Say hello/)
        const call = await gateway.line(({ msg, dialect }) => msg === 'call' && dialect === program.dialect)
        expect(call).toMatchObject({ status: 200, model: 'coder', outcome: 'ok' })
      },
      240_000,
    )
  }
})

test('the documentation has their recipes, as `init` prints them', () => {
  const [, shown] =
    /<!-- generated: recipes -->\n([\s\S]*?)<!-- \/generated -->/.exec(
      readFileSync('docs/clients.md', 'utf8'),
    ) ?? []
  expect(shown).toBe(recipesPage())
})
