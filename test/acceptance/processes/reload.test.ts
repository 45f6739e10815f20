import { rm, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { type GatewayProcess, type LogLine, startGateway } from '../gateway-process.ts'

const simulated = "models: { '*': { deployments: [{ provider: simulator }] } }\n"
const first = 'sk-the-first-of-the-keys'
const second = 'sk-the-second-of-the-keys'

describe('a configuration that changes while the gateway serves', () => {
  test('is taken when the file is another, and at SIGHUP', async () => {
    await using gateway = await startGateway({ file: withKey(first) })
    expect(await statuses(gateway)).toEqual([200, 401])
    await writeFile(gateway.file, withKey(second))
    await outcomes(gateway, 1)
    expect(await statuses(gateway)).toEqual([401, 200])
    await writeFile(gateway.file, withKey(first))
    process.kill(gateway.pid, 'SIGHUP')
    const [, line] = await outcomes(gateway, 2)
    expect(line?.msg).toBe('the configuration was applied')
    expect(await statuses(gateway)).toEqual([200, 401])
  })

  test('and is wrong changes nothing: the log tells the file, the line, the place and what belongs there', async () => {
    await using gateway = await startGateway({ file: withKey(first) })
    await writeFile(gateway.file, `${withKey(second)}limits:\n  fanOut: none\n`)
    const [refused] = await outcomes(gateway, 1)
    expect(refused).toMatchObject({
      level: 50,
      msg: 'the configuration was refused; the last valid one stays in use',
      problems: [`${gateway.file}:4: limits.fanOut: found "none", expected a whole number from 1 to 256`],
    })
    expect(await statuses(gateway)).toEqual([200, 401])
    expect(await configurationOf(gateway)).toMatchObject({ refused: true })
    await writeFile(gateway.file, withKey(second))
    await outcomes(gateway, 2)
    expect(await statuses(gateway)).toEqual([401, 200])
    expect(await configurationOf(gateway)).toMatchObject({ refused: false })
  })

  test.for<readonly [string, string]>([
    ['empty', ''],
    ['a comment', '# nothing here any more\n'],
    ['without its keys', simulated],
    ['without its models', `auth: { keys: [${first}] }\n`],
  ])('and is %s leaves nobody in who was not', async ([, text]) => {
    await using gateway = await startGateway({ file: withKey(first) })
    await writeFile(gateway.file, text)
    process.kill(gateway.pid, 'SIGHUP')
    const [refused] = await outcomes(gateway, 1)
    expect(refused?.msg).toBe('the configuration was refused; the last valid one stays in use')
    expect(await statuses(gateway)).toEqual([200, 401])
    expect((await fetch(`${gateway.url}/v1/models`)).status).toBe(401)
    await writeFile(gateway.file, withKey(second))
    await outcomes(gateway, 2)
    expect(await statuses(gateway)).toEqual([401, 200])
  })

  test('piece by piece, as an editor writes it, is taken once it is whole', async () => {
    await using gateway = await startGateway({ file: withKey(first) })
    const whole = withKey(second)
    for (let end = 1; end <= whole.length; end++) {
      await writeFile(gateway.file, whole.slice(0, end))
      process.kill(gateway.pid, 'SIGHUP')
      if (end % 20 === 0) expect(await statuses(gateway)).toEqual([200, 401])
    }
    const [taken] = await outcomes(gateway, 1)
    expect(taken?.msg).toBe('the configuration was applied')
    expect(await statuses(gateway)).toEqual([401, 200])
  })

  test('opens the gateway when it says so', async () => {
    await using gateway = await startGateway({ file: withKey(first) })
    await writeFile(gateway.file, `server: { allowUnauthenticated: true }\n${simulated}`)
    await outcomes(gateway, 1)
    expect((await fetch(`${gateway.url}/v1/models`)).status).toBe(200)
  })

  test('is not what is left when its file is gone', async () => {
    await using gateway = await startGateway({ file: withKey(first) })
    await rm(gateway.file)
    const [refused] = await outcomes(gateway, 1)
    expect(refused?.['problems']).toEqual([expect.stringContaining('ENOENT')])
    expect(await statuses(gateway)).toEqual([200, 401])
  })

  test('twenty times under traffic fails no call', async () => {
    await using gateway = await startGateway({ file: `slowThresholdMs: 1\n${simulated}` })
    let isOver = false
    const callers = Array.from({ length: 6 }, async (_, caller) => {
      const ends: string[] = []
      while (!isOver) {
        const isStream = caller % 2 === 0
        const model = isStream ? 'sim-long-20-drip-10' : 'sim-slow-20-echo'
        const response = await ask(gateway, first, { model, stream: isStream })
        const text = await response.text()
        ends.push(
          `${response.status} ${isStream ? text.endsWith('data: [DONE]\n\n') : text.includes('"stop"')}`,
        )
      }
      return ends
    })
    for (let reload = 1; reload <= 20; reload++) {
      await writeFile(gateway.file, `slowThresholdMs: ${reload + 1}\n${simulated}`)
      process.kill(gateway.pid, 'SIGHUP')
      await outcomes(gateway, reload)
    }
    isOver = true
    const ends = (await Promise.all(callers)).flat()
    expect(ends.length).toBeGreaterThan(100)
    expect(new Set(ends)).toEqual(new Set(['200 true']))
    const taken = gateway.log().filter(({ msg }) => msg === 'the configuration was applied')
    expect(taken).toHaveLength(20)
    const warnings = gateway.log().filter(({ level }) => level > 30)
    expect(warnings.filter(({ msg }) => !msg.includes('schema was brought up to date'))).toEqual([])
  })
})

function withKey(key: string): string {
  return `auth: { keys: [${key}] }\n${simulated}`
}

/** Whether the first key is let in, and whether the second. */
async function statuses(gateway: GatewayProcess): Promise<readonly number[]> {
  const responses = await Promise.all([first, second].map((key) => ask(gateway, key, { model: 'sim-echo' })))
  return responses.map(({ status }) => status)
}

function ask({ url }: GatewayProcess, key: string, body: object): Promise<Response> {
  return fetch(`${url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ prompt: 'x', ...body }),
  })
}

async function configurationOf({ url }: GatewayProcess): Promise<unknown> {
  const { configuration } = (await (await fetch(`${url}/health`)).json()) as { configuration: unknown }
  return configuration
}

/** What became of the first so many configurations that were offered. */
async function outcomes(gateway: GatewayProcess, count: number): Promise<readonly LogLine[]> {
  const of = () => gateway.log().filter(({ msg }) => /^the configuration was (applied|refused)/.test(msg))
  await gateway.line(() => of().length >= count)
  return of()
}
