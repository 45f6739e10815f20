import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserPath, type Look, openPage, startBrowser } from './browser.ts'
import { adminKey, type Scene, startScene } from './scene.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const looks: readonly (readonly [string, Look])[] = [
  ['light', {}],
  ['dark', { scheme: 'dark' }],
  ['on a phone', { width: 390, height: 844 }],
]

const pages: readonly (readonly [string, (ids: readonly string[]) => string])[] = [
  ['Overview', () => '/console'],
  ['Overview', () => '/console?span=30d&by=key&model=llama-3.1-8b'],
  ['Calls', () => '/console/calls'],
  ['Calls', () => '/console/calls?status=failed&min_ms=0'],
  ['llama-3.1-8b', (ids) => `/console/calls/${ids[0]}`],
  ['breaks-off', (ids) => `/console/calls/${ids[4]}`],
  ['always-down', (ids) => `/console/calls/${ids[5]}`],
  ['llama-3.1-8b', (ids) => `/console/calls/${ids[6]}`],
  ['Keys, teams, budgets', () => '/console/keys'],
  ['research', () => '/console/teams/research'],
  ['Models and deployments', () => '/console/models'],
  ['Route explain', () => '/console/explain'],
  ['Playground', () => '/console/playground'],
  ['Settings', () => '/console/settings'],
]

describe.skipIf(browserPath === undefined).each(looks)('every page, %s,', (_, look) => {
  let scene: Scene
  let browser: Awaited<ReturnType<typeof startBrowser>>
  let ids: readonly string[]
  let watched: Awaited<ReturnType<typeof openPage>>

  beforeAll(async () => {
    scene = await startScene()
    ids = await scene.calls()
    browser = await startBrowser()
    watched = await openPage(browser, scene.url, look)
    await watched.page.goto('/console')
    await watched.page.getByLabel('Management key').fill(adminKey)
    await watched.page.keyboard.press('Enter')
    await watched.page.getByRole('navigation', { name: 'Pages', exact: true }).waitFor()
  })

  afterAll(async () => {
    await browser?.close()
    await scene?.[Symbol.asyncDispose]()
  })

  test.for(pages)(
    '%s: no complaint, fewer than ten requests, nothing that axe minds',
    async ([title, path]) => {
      const { page, complaints } = watched
      const asked: string[] = []
      const note = (request: { url(): string; isNavigationRequest(): boolean }) => {
        // On a busy machine the page before may still ask for things.
        if (request.isNavigationRequest()) asked.length = 0
        asked.push(request.url())
      }
      page.on('request', note)
      await page.goto(path(ids))
      await page.getByRole('heading', { level: 1, name: title }).waitFor()
      await page.waitForLoadState('networkidle')
      page.off('request', note)
      expect(complaints).toEqual([])
      expect(asked.length, asked.join(' ')).toBeLessThan(10)
      await page.evaluate(axe)
      const found = (await page.evaluate('axe.run(document)')) as { violations: readonly Violation[] }
      expect(found.violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
      // What is too wide scrolls by itself.
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0)
    },
  )
})

type Violation = { readonly id: string; readonly nodes: readonly { readonly html: string }[] }
