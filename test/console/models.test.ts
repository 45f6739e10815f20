import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { simulateBaseten } from '../../src/simulator/baseten/baseten.ts'
import { startBrowser } from './browser.ts'
import { noBrowser, readKey, startStage, usualFile } from './stage.ts'

let browser: Browser

beforeAll(async () => {
  if (noBrowser === undefined) browser = await startBrowser()
})

afterAll(async () => browser?.close())

const deploymentAt = (provider: string) => `      - { provider: ${provider}, model: org/sim-echo }\n`

describe.skipIf(noBrowser)('the page of models and deployments', () => {
  test('shows how each does, what it costs, and its share of the calls', async () => {
    await using stage = await startStage(browser)
    await (await stage.call('llama-3.3-70b')).text()
    const { page, asked, isSound } = await stage.open('/console/models')
    const deployments = page.getByRole('region', { name: 'Deployments', exact: true }).getByRole('table')
    const row = deployments.getByRole('row', { name: /sim-echo at one/ })
    await row.getByText('well').waitFor()
    expect(await row.innerText()).toMatch(/100 %.*1 tries.*\$0\.6 in, \$0\.9 out.*of the configuration/s)
    const route = page
      .getByRole('region', { name: 'Routes', exact: true })
      .getByRole('row', { name: /talker/ })
    expect(await route.innerText()).toContain('sim-long-30@two')
    expect(asked.length).toBeLessThan(10)
    await isSound()
    await page.getByRole('searchbox').fill('long')
    expect(await row.count()).toBe(0)
  })

  test('calls no deployment well whose last calls failed', async () => {
    const failing = usualFile.replace(
      'provider: two, model: sim-long-30',
      'provider: two, model: sim-status-500',
    )
    await using stage = await startStage(browser, failing)
    await (await stage.call('talker')).text()
    const { page, isSound } = await stage.open('/console/models')
    const row = page.getByRole('row', { name: /sim-status-500 at two/ }).first()
    await row.getByText(/^last (\d+ calls|call) failed$/).waitFor()
    expect(await row.getByText('well', { exact: true }).count()).toBe(0)
    await isSound()
  })

  test('drains a deployment by keyboard, says for how long, and puts it back in use', async () => {
    await using stage = await startStage(browser)
    const { page, isSound } = await stage.open('/console/models')
    await page.getByRole('button', { name: 'Drain sim-echo@one' }).focus()
    await page.keyboard.press('Enter')
    await page.getByText('or the gateway restarts').waitFor()
    await isSound()
    await page.getByLabel('Why').fill('upgrade')
    await page.keyboard.press('Enter')
    await page.getByText(/by admin-\w+ .*: upgrade/).waitFor()
    expect((await stage.call('llama-3.3-70b')).headers.get('x-pandotate-provider')).toBe('two')
    await page.getByRole('button', { name: 'Use again sim-echo@one' }).click()
    await page.getByRole('button', { name: 'Drain sim-echo@one' }).waitFor()
    expect((await stage.call('llama-3.3-70b')).headers.get('x-pandotate-provider')).toBe('one')
    await isSound()
  })

  test('wakes a deployment that sleeps, and says what its provider says', async () => {
    await using baseten = await simulateBaseten({ host: '127.0.0.1', port: 0, key: 'ours', coldMs: 1 })
    const cold = `cold: { type: baseten, baseUrl: ${baseten.origin}, apiKey: ours, deployment: { model: abc123 } }`
    const refused = cold.replace('cold:', 'refused:').replace('apiKey: ours', 'apiKey: another')
    const sleeping = usualFile
      .replace('two: { type: simulator }', `two: { type: simulator }\n  ${cold}\n  ${refused}`)
      .replace('deployments:\n', (text) => `${text}${deploymentAt('cold')}${deploymentAt('refused')}`)
    await using stage = await startStage(browser, sleeping)
    const { page, isSound } = await stage.open('/console/models')
    await page.getByRole('button', { name: 'Wake org/sim-echo@cold' }).press('Enter')
    await page.getByText('The start was requested.').waitFor()
    expect(baseten.requests).toMatchObject([{ method: 'POST', path: '/production/wake' }])
    expect(await page.getByRole('button', { name: 'Wake sim-echo@one' }).count()).toBe(0)
    await page.getByRole('button', { name: 'Wake org/sim-echo@refused' }).click()
    const said = page.getByRole('row', { name: /org.sim-echo at refused/ }).locator('output')
    await expect.poll(() => said.first().innerText()).toMatch(/^The upstream/)
    await isSound(/502/)
  })

  test('who may only read drains nothing; it fits a phone, in the dark', async () => {
    await using stage = await startStage(browser)
    const { page, isSound } = await stage.open('/console/models', {
      key: readKey,
      scheme: 'dark',
      width: 390,
    })
    await page.getByText('not tried yet').first().waitFor()
    expect(await page.getByRole('button', { name: 'Drain' }).count()).toBe(0)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390)
    // The line of pages is longer than a phone is wide: the one that is shown is in sight.
    const link = await page.getByRole('link', { name: 'Models', exact: true }).boundingBox()
    expect((link?.x ?? -1) >= 0 && (link?.x ?? 0) + (link?.width ?? 0) <= 390).toBe(true)
    await isSound()
  })

  test('on an empty gateway it says that the catalogue’s routes are in use, and how to make a call', async () => {
    await using stage = await startStage(browser, '')
    const { page, isSound } = await stage.open('/console/models')
    await page.getByText('No models are configured').waitFor()
    await page.getByText(/curl .*\/v1\/chat\/completions/).waitFor()
    await isSound()
  })
})
