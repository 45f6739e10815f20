import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Child, Exit } from '../acceptance/child.ts'
import { type BuiltImage, buildImage, reasonAgainstImages } from './buildah.ts'
import { missingTool, runTool } from './tools.ts'

test('the Dockerfile may not be skipped over: it is where docker build looks for it', () => {
  const text = readFileSync('Dockerfile', 'utf8')
  expect(text).toContain('ARG BASE=gcr.io/distroless/nodejs24-debian13:nonroot')
  expect(text).toContain('--platform=$BUILDPLATFORM')
})

test.skipIf(missingTool('hadolint'))(
  'hadolint finds nothing in it (skipped where there is none)',
  async () => {
    const { code, stdout } = await runTool('hadolint', ['Dockerfile'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
  },
)

test('no secret and no data of this folder goes to the builder', () => {
  const lines = readFileSync('.dockerignore', 'utf8').split('\n')
  expect(lines.find((line) => line !== '' && !line.startsWith('#'))).toBe('*')
  expect(lines).toEqual(expect.arrayContaining(['data', '.env', '.env.*', '**/node_modules']))
  const copied = [...readFileSync('Dockerfile', 'utf8').matchAll(/^COPY ((?!--)[^\n]*) \S+$/gm)]
  const names = copied.flatMap(([, list = '']) => list.split(' '))
  expect(names).toContain('src')
  for (const name of names) expect(lines, name).toContain(`!${name}`)
})

const reason = reasonAgainstImages()

describe.skipIf(reason !== undefined)(`the image (skipped here: ${reason ?? ''})`, () => {
  let image: BuiltImage
  beforeAll(() => {
    image = buildImage()
  }, 600_000)
  afterAll(() => image[Symbol.dispose](), 300_000)

  test('is below 200 MB, and has no shell and no compiler', () => {
    expect(image.size).toBeLessThan(200e6)
    expect(globSync('**/{sh,bash,dash,busybox,npm,tsc}', { cwd: image.root })).toEqual([])
    expect(existsSync(join(image.root, 'app/node_modules/typescript'))).toBe(false)
  })

  test('says what it is, and of what it is made', () => {
    expect(image.config.Labels).toMatchObject({
      'org.opencontainers.image.version': '1.2.3',
      'org.opencontainers.image.revision': 'abcdef',
      'org.opencontainers.image.licenses': 'MIT',
    })
    const { components } = JSON.parse(readFileSync(join(image.root, 'app/sbom.json'), 'utf8'))
    const names = components.map(({ name }: { name: string }) => name)
    expect(names).toEqual(expect.arrayContaining(['koa', 'undici', 'zod']))
    expect(names).not.toContain('vitest')
    const installed = readdirSync(join(image.root, 'app/node_modules'))
    expect(installed.filter((name) => /^[a-z]/.test(name) && !names.includes(name))).toEqual([])
  })

  test('has a user by number, a volume for its data, and a check of its health', () => {
    expect(image.config.User).toBe('65532:0')
    expect(Object.keys(image.config.Volumes)).toEqual(['/data'])
    const { uid, gid, mode } = statSync(join(image.root, 'data'))
    expect([uid, gid, (mode & 0o777).toString(8)]).toEqual([65_532, 0, '775'])
    expect(image.config.Healthcheck.Test.at(-1)).toBe('health')
  })

  test.for([65_532, 1_000_680_000])(
    'serves as user %i with nothing but /data and /tmp to write to',
    async (uid) => {
      const port = await freePort()
      const environment = { PORT: port, GATEWAY_KEY: 'sk-gateway-0123456789' }
      const container = image.start(image.config.Cmd, { uid, environment })
      await container.until(() => /serves on (\S+)/.exec(container.stderr())?.[1])
      expect(await statusOf(port)).toBe(200)
      expect(readFileSync(`/proc/${firstProcess(container)}/status`, 'utf8')).toMatch(
        new RegExp(`^Uid:\\t${uid}\\t`, 'm'),
      )
      const checked = await image.start(['health'], { uid, environment }).ended
      expect(checked).toMatchObject({ code: 0, stdout: '', stderr: '' })
      const { code, stdout } = await stop(container)
      expect(code).toBe(0)
      expect(stdout).toContain('"msg":"stopped"')
    },
  )

  test('is not healthy where nothing listens', async () => {
    const environment = { PORT: await freePort() }
    const { code, stderr } = await image.start(['health'], { uid: 65_532, environment }).ended
    expect(code).toBe(1)
    expect(stderr).toContain('does not answer')
  })

  test('serves nobody without a key, unless it is told to', async () => {
    const environment = { PORT: await freePort() }
    const { code, stderr } = await image.start(['serve'], { uid: 65_532, environment }).ended
    expect(code).toBe(1)
    expect(stderr).toContain('server.allowUnauthenticated: true')
  })
})

async function statusOf(port: string): Promise<number> {
  const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-gateway-0123456789' }
  const body = JSON.stringify({ model: 'sim-echo', prompt: 'Hello' })
  const response = await fetch(`http://127.0.0.1:${port}/v1/completions`, { method: 'POST', headers, body })
  await response.text()
  return response.status
}

/** The gateway itself, as this machine numbers it: in its own container it is the first. */
function firstProcess({ pid }: Child): number {
  return Number(execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' }))
}

function stop(container: Child): Promise<Exit> {
  process.kill(firstProcess(container), 'SIGTERM')
  return container.ended
}

async function freePort(): Promise<string> {
  const { createServer } = await import('node:net')
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return String(port)
}
