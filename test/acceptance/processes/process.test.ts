import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { removeDirectory } from '../../harness/directory.ts'
import { startChild } from '../child.ts'
import { runGateway, startFile, startGateway } from '../gateway-process.ts'
import { startSimulatedPandotateByNpm } from '../simulated-pandotate.ts'
import { createClient, startAlone, startBefore } from '../stack.ts'

describe('SIGTERM', () => {
  test('lets a running stream finish, refuses what is new, and ends with 0', async () => {
    await using stack = await startAlone()
    const stream = await createClient(stack).completions.create({
      model: 'sim-long-40-drip-50',
      prompt: 'x',
      stream: true,
    })
    let text = ''
    let stopping: ReturnType<typeof stack.gateway.stop> | undefined
    for await (const chunk of stream) {
      text += chunk.choices[0]?.text ?? ''
      stopping ??= stack.gateway.stop()
    }
    expect(text.split(' ')).toHaveLength(40)
    expect((await stopping)?.code).toBe(0)
    const messages = stack.gateway.log().map(({ msg }) => msg)
    expect(messages).toEqual(['serving', 'stopping', 'call', 'stopped'])
    await expect(fetch(`${stack.gateway.url}/livez`)).rejects.toThrow()
  })

  test('of an idle gateway with open connections ends it at once', async () => {
    const gateway = await startGateway()
    // The client keeps its connection; the test would time out if the gateway waited for it.
    await Promise.all(Array.from({ length: 5 }, async () => (await fetch(`${gateway.url}/livez`)).text()))
    expect((await gateway.stop()).code).toBe(0)
  })
})

describe.concurrent('a start that cannot be', () => {
  test('listening beyond this machine without keys is refused, with what would do', async () => {
    const { code, stdout, stderr } = await runGateway(['serve'], { environment: { HOST: '0.0.0.0' } })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('HOST')
    expect(stderr).toContain('auth.keys')
    expect(stderr).toContain('allowUnauthenticated')
    expect(stderr).not.toMatch(/^\s+at /m)
  })

  test.for([
    ['keys', `auth: { keys: ['sk-gateway-0123456789'] }`],
    ['leave to do without', 'server: { allowUnauthenticated: true }'],
  ] as const)('is one no more with %s', async ([, file]) => {
    const { code } = await runGateway(['check'], { file, environment: { HOST: '0.0.0.0' } })
    expect(code).toBe(0)
  })

  test('all errors of a configuration are reported at once: file, line, place, value', async () => {
    const file = 'slowThresholdMs: soon\nlimits:\n  fanOut: 0\nmodells: {}\n'
    const environment = { PORT: 'eighty', PANDOTATE_TIMEOUT: '-1' }
    const { code, stdout, stderr } = await runGateway(['serve'], { file, environment })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/configured\.yaml:1: slowThresholdMs: .*soon.*whole number/)
    expect(stderr).toMatch(/configured\.yaml:3: limits\.fanOut: .*0.*1/)
    expect(stderr).toMatch(/configured\.yaml:4: .*modells/)
    expect(stderr).toMatch(/environment: PORT: .*eighty/)
    expect(stderr).toMatch(/environment: PANDOTATE_TIMEOUT: .*-1.*seconds/)
    expect(stderr).not.toMatch(/^\s+at /m)
  })

  test.for<[string, string, RegExp]>([
    ['that is not YAML', 'a: [1', /configured\.yaml:1/],
    ['that names a variable nobody set', `auth: { keys: ['$\{NOBODY_SET_THIS}'] }`, /NOBODY_SET_THIS/],
    ['whose model names no provider', 'models: { m: { deployments: [{ provider: lost }] } }', /lost/],
    ['that names an unknown type', 'providers: { x: { type: sorcery } }', /sorcery/],
  ])('a file %s', async ([, file, told]) => {
    const { code, stderr } = await runGateway(['serve'], { file })
    expect(code).toBe(1)
    expect(stderr).toMatch(told)
    expect(stderr).not.toMatch(/^\s+at /m)
  })

  test('a file that is not there', async () => {
    const { code, stderr } = await runGateway(['serve'], { environment: { GATEWAY_CONFIG: 'absent.yaml' } })
    expect(code).toBe(1)
    expect(stderr).toContain('absent.yaml')
  })

  test('an address that is taken', async () => {
    await using first = await startGateway()
    const { port } = new URL(first.url)
    const { code, stderr } = await runGateway(['serve'], { environment: { PORT: port } })
    expect(code).toBe(1)
    expect(stderr).toMatch(/in use.*PORT/)
  })

  test('an unknown command', async () => {
    const { code, stderr } = await runGateway(['serv'])
    expect(code).toBe(2)
    expect(stderr).toContain('There is no command "serv". Did you mean serve?')
    expect(stderr).toContain('See npm run gateway -- --help')
  })
})

describe('the environment', () => {
  test('is filled up from .env, which is really read, and wins over it', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'gateway-'))
    await writeFile(
      join(directory, '.env'),
      'PANDOTATE_URL=http://127.0.0.1:9/from-env\nPANDOTATE_TIMEOUT=7\n',
    )
    const environment = { PANDOTATE_TIMEOUT: '9' }
    const child = startChild(process.execPath, [startFile, 'check'], { cwd: directory, environment })
    const { code, stdout } = await child.ended
    await removeDirectory(directory)
    expect(code).toBe(0)
    expect(stdout).toContain('http://127.0.0.1:9/from-env')
    expect(stdout).toMatch(/providers\.pandotate\.clocks\.totalMs +9000/)
    expect(stdout).not.toContain('7000')
  })

  test('silences the log and leaves the answers', async () => {
    await using stack = await startAlone({ environment: { LOG_LEVEL: 'silent' } })
    const completion = await createClient(stack).completions.create({
      model: 'sim-echo',
      prompt: 'still here',
    })
    expect(completion.choices[0]?.text).toBe('still here')
    expect((await stack.gateway.stop()).stdout).toBe('')
  })
})

test('the simulated Pandotate that npm starts is one that a gateway can be pointed at', async () => {
  await using pandotate = await startSimulatedPandotateByNpm()
  await using stack = await startBefore(pandotate.url)
  const completion = createClient(stack).completions.create({ model: 'sim-echo', prompt: 'through npm' })
  const { data, response } = await completion.withResponse()
  expect(data.choices[0]?.text).toBe('through npm')
  expect(response.headers.get('x-pandotate-provider')).toBe('pandotate')
})
