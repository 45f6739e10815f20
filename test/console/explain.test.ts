import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startBrowser } from './browser.ts'
import { noBrowser, readKey, startStage } from './stage.ts'

let browser: Browser

beforeAll(async () => {
  if (noBrowser === undefined) browser = await startBrowser()
})

afterAll(async () => browser?.close())

describe.skipIf(noBrowser)('the page that explains routes', () => {
  test('shows the plan of a request, who was considered, and what it would hold of a key’s budgets', async () => {
    await using stage = await startStage(browser)
    const { page, asked, isSound } = await stage.open('/console/explain', { key: readKey })
    await page.getByLabel('Made with the key').selectOption({ label: 'web' })
    await isSound()
    await page.getByRole('button', { name: 'Explain' }).press('Enter')
    const plan = page.getByRole('region', { name: 'The plan' })
    expect(await plan.getByRole('listitem').allInnerTexts()).toEqual([
      'sim-echo@one first',
      'sim-echo@two',
      'sim-echo@one again',
    ])
    const held = page.getByRole('region', { name: 'What it would hold' })
    expect(await held.getByRole('row', { name: /web daily/ }).innerText()).toContain('enough')
    expect(asked.length).toBeLessThan(10)
    await isSound()
  })

  test('says what a request would be refused with', async () => {
    await using stage = await startStage(browser)
    const { page, isSound } = await stage.open('/console/explain')
    await page.getByLabel('Its body').fill('{"model":')
    await page.getByRole('button', { name: 'Explain' }).click()
    await page.getByText('This is not a JSON object.').waitFor()
    await isSound()
  })

  test('leaves out what is drained, and says so', async () => {
    await using stage = await startStage(browser)
    await stage.admin('POST', '/deployments/sim-echo@one/drain', {})
    const { page, isSound } = await stage.open('/console/explain', { scheme: 'dark', width: 390 })
    await page.getByRole('button', { name: 'Explain' }).click()
    await page.getByText('it is drained by an operator').waitFor()
    await isSound()
  })
})
