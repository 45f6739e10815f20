import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startBrowser } from './browser.ts'
import { adminKey, callerKey, noBrowser, readKey, startStage, usualFile } from './stage.ts'

let browser: Browser

beforeAll(async () => {
  if (noBrowser === undefined) browser = await startBrowser()
})

afterAll(async () => browser?.close())

describe.skipIf(noBrowser)('the page of settings', () => {
  test('shows each value with its line or as a default, and no secret', async () => {
    await using stage = await startStage(browser)
    const { page, asked, isSound } = await stage.open('/console/settings', { key: readKey })
    const limits = page.getByRole('region', { name: 'limits' }).first()
    expect(await limits.getByRole('row', { name: /^fanOut/ }).innerText()).toMatch(/8\s+default/)
    const auth = page.getByRole('region', { name: 'auth' }).first()
    expect(await auth.getByRole('row', { name: /^keys\[0\]\.key/ }).innerText()).toMatch(
      /…more secret\s+gateway\.yaml:5/,
    )
    const text = await page.content()
    for (const secret of [adminKey, callerKey, readKey]) expect(text).not.toContain(secret)
    expect(asked.length).toBeLessThan(10)
    await isSound()
    await page.getByLabel('Without defaults').check()
    expect(await page.getByRole('region', { name: 'limits' }).count()).toBe(0)
    await page.getByRole('searchbox').fill('limitUsd')
    expect(await page.getByRole('row', { name: /limitUsd/ }).count()).toBe(3)
  })

  test('shows what is wrong with a reload that was refused, beside what is still in use', async () => {
    await using stage = await startStage(browser)
    stage.reload(usualFile.replace('limitUsd: 50', 'limitUsd: fifty'))
    const { page, isSound } = await stage.open('/console/settings', { scheme: 'dark', width: 390 })
    const refused = page.getByRole('region', { name: 'The last reload was refused' })
    expect(await refused.innerText()).toMatch(
      /gateway\.yaml:\d+.*budgets\.gateway\[0\]\.limitUsd.*found "fifty"/s,
    )
    await isSound()
  })
})
