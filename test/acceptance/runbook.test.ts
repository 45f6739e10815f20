import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { healthEventTypes } from '../../src/core/health/health-watch.ts'
import { startTestGateway } from '../harness/gateway.ts'
import { runShell, shellEnvironment } from './child.ts'
import { repository } from './gateway-process.ts'

const page = await readFile(new URL('../../docs/runbook.md', import.meta.url), 'utf8')
const observability = await readFile(new URL('../../docs/observability.md', import.meta.url), 'utf8')
const blocks = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text = '']) => text)

describe('the runbook', () => {
  test('names metrics and events that there are, and every event for the worse', () => {
    for (const [, name = ''] of page.matchAll(/`(pandotate_\w+)`/g))
      expect(observability).toContain(`\`${name}\``)
    for (const type of healthEventTypes.filter((one) => one !== 'limit_over'))
      expect(page).toContain(`\`${type}\``)
  })

  test('has requests that a gateway answers', async () => {
    await using gateway = await startTestGateway()
    const asked = await fetch(`${gateway.url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer none' },
      body: JSON.stringify({ model: 'sim-echo', prompt: 'one' }),
    })
    const id = asked.headers.get('x-request-id') ?? ''
    await asked.text()
    await gateway.recorded()
    const environment = { ...shellEnvironment(), GATEWAY: gateway.url, ADMIN: 'none', KEY: 'none', ID: id }
    const requests = blocks.filter((text) => text.startsWith('curl'))
    expect(requests.length).toBeGreaterThan(2)
    for (const text of requests) {
      const { code, stdout } = await runShell(text.replaceAll('curl -s ', 'curl -sf '), { environment })
      expect({ text, code }).toEqual({ text, code: 0 })
      expect(stdout).not.toBe('')
    }
  })

  test('has commands that the gateway knows', async () => {
    const commands = blocks
      .flatMap((text) => text.split('\n'))
      .filter((line) => line.startsWith('npm run gateway'))
    expect(commands.length).toBeGreaterThan(2)
    for (const command of new Set(commands.map((line) => line.split(' ')[4] ?? ''))) {
      const { code, stdout } = await runShell(`npm run -s gateway -- ${command} --help`, { cwd: repository })
      expect({ command, code }).toEqual({ command, code: 0 })
      for (const line of commands.filter((one) => one.includes(` ${command} `))) {
        for (const [option] of line.matchAll(/--[a-z]+/g)) expect(stdout).toContain(option)
      }
    }
  })
})
