import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startBrowser } from './browser.ts'
import { noBrowser, readKey, startStage } from './stage.ts'

let browser: Browser

beforeAll(async () => {
  if (noBrowser === undefined) browser = await startBrowser()
})

afterAll(async () => browser?.close())

describe.skipIf(noBrowser)('the page of keys, teams and budgets', () => {
  test('shows what each has spent of what, and which line of the file declares it', async () => {
    await using stage = await startStage(browser)
    await (await stage.call('llama-3.3-70b')).text()
    const { page, asked, isSound } = await stage.open('/console/keys')
    const budgets = page.getByRole('region', { name: 'Budgets', exact: true }).getByRole('table')
    await budgets.getByRole('row', { name: /web daily.*of \$0\.02/ }).waitFor()
    await budgets.getByRole('row', { name: /core monthly.*gateway\.yaml:15/ }).waitFor()
    await budgets.getByRole('row', { name: /gateway monthly.*gateway\.yaml:21/ }).waitFor()
    const keys = page.getByRole('region', { name: 'Keys', exact: true }).getByRole('table')
    const web = keys.getByRole('row', { name: /^web/ })
    expect(await web.innerText()).toMatch(/active.*core.*gateway\.yaml:5/s)
    expect(await web.getByRole('link', { name: 'Calls of web' }).getAttribute('href')).toMatch(
      /^\/console\/calls\?key=\w+$/,
    )
    expect(asked.length).toBeLessThan(10)
    await isSound()
    await web.getByRole('link', { name: 'gateway.yaml:5' }).click()
    const line = page.locator('tr.wanted')
    expect(await line.first().innerText()).toContain('gateway.yaml:5')
  })

  test('makes a key by keyboard alone, and shows its secret once, with the lines for clients', async () => {
    await using stage = await startStage(browser)
    const { page, isSound } = await stage.open('/console/keys')
    await page.getByRole('button', { name: 'New key' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: 'New key' }).waitFor()
    await page.keyboard.type('my app')
    for (let field = 0; field < 20; field++) {
      if ((await page.evaluate('document.activeElement.name')) === 'limit') break
      await page.keyboard.press('Tab')
    }
    await page.keyboard.type('7.5')
    await isSound()
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog', { name: 'The secret of my app' })
    const secret = await dialog.locator('.secret code').innerText()
    expect(secret).toMatch(/^pgw_/)
    await isSound()
    expect(await dialog.getByRole('tabpanel').innerText()).toContain(`api_key="${secret}"`)
    await dialog.getByRole('tab', { name: 'Python' }).focus()
    await page.keyboard.press('ArrowRight')
    expect(await dialog.getByRole('tabpanel').innerText()).toContain(`apiKey: '${secret}'`)
    await page.keyboard.press('ArrowRight')
    expect(await dialog.getByRole('tabpanel').innerText()).toContain(`ANTHROPIC_AUTH_TOKEN=${secret}`)
    await page.keyboard.press('ArrowRight')
    expect(await dialog.getByRole('tabpanel').innerText()).toMatch(
      /wire_api = "responses".*GATEWAY_KEY=pgw_/s,
    )
    await page.keyboard.press('Escape')
    // A role finds only what is visible: a dialog that has just closed is no longer that, but still in the page.
    await page.locator('dialog').waitFor({ state: 'detached' })
    expect(await page.content()).not.toContain(secret)
    const { data } = await stage.admin('GET', '/keys?limit=1')
    expect(data).toMatchObject([{ name: 'my app', limit: 7.5, limit_reset: 'monthly' }])
    const response = await fetch(`${stage.gateway.url}/v1/models`, {
      headers: { authorization: `Bearer ${secret}` },
    })
    expect(response.status).toBe(200)
  })

  test('disables and rotates a key, and says so of one that the file declares', async () => {
    await using stage = await startStage(browser)
    const { data } = await stage.admin('POST', '/keys', { name: 'made here' })
    const { page, asked, isSound } = await stage.open(`/console/keys/${data['hash']}`)
    await page.getByRole('button', { name: 'Disable' }).click()
    await page.getByText('disabled', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Enable' }).click()
    await page.getByText('active', { exact: true }).waitFor()
    expect(asked.filter((path) => path.startsWith('GET')).length).toBeLessThan(10)
    await page.getByRole('button', { name: 'Rotate' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click()
    const secret = page.getByRole('dialog', { name: 'The secret of made here' })
    expect(await secret.locator('.secret code').innerText()).toMatch(/^pgw_/)
    await secret.getByRole('button', { name: 'I have it' }).click()
    await isSound()
    await page.goto('/console/keys')
    await page.getByRole('link', { name: 'web', exact: true }).click()
    await page.getByText('It is declared in').waitFor()
    expect(await page.getByRole('button', { name: 'Rotate' }).count()).toBe(0)
    await isSound()
  })

  test('tells who holds money on a budget, and raises it for its window', async () => {
    await using stage = await startStage(browser)
    const { page, isSound } = await stage.open('/console/keys')
    await page.getByRole('button', { name: 'Who holds on web daily' }).click()
    await page.getByText('No call holds anything on it at this moment.').waitFor()
    await isSound()
    await page.getByRole('button', { name: 'Close' }).click()
    await page.getByRole('button', { name: 'Raise web daily' }).click()
    await page.getByLabel('By how many USD').fill('3')
    await page.getByRole('button', { name: 'Raise it' }).click()
    await page.getByRole('row', { name: /web daily.*of \$3\.02 \(\$3\.00 of it for now alone\)/ }).waitFor()
  })

  test('leads from the limit that a refused call names to the budget', async () => {
    await using stage = await startStage(browser)
    const { data } = await stage.admin('GET', '/budgets')
    const [first] = data as unknown as readonly { limit_name: string; title: string }[]
    const { page } = await stage.open(`/console/keys?budget=${encodeURIComponent(first?.limit_name ?? '')}`)
    expect(await page.locator('tr.wanted').innerText()).toContain(first?.title)
  })

  test('who may only read sees no button that changes something', async () => {
    await using stage = await startStage(browser)
    const { page, isSound } = await stage.open('/console/keys', { key: readKey, scheme: 'dark', width: 390 })
    await page.getByRole('row', { name: /^web/ }).first().waitFor()
    const buttons = await page.getByRole('main').getByRole('button').allInnerTexts()
    expect(buttons.every((name) => name.startsWith('Who holds'))).toBe(true)
    await isSound()
  })

  test('shows a hundred keys at once, and leads to the rest', async () => {
    await using stage = await startStage(browser)
    for (let at = 0; at < 110; at++) await stage.admin('POST', '/keys', { name: `k${at}`, limit: 1 })
    const { page, isSound } = await stage.open('/console/keys')
    const keys = page.getByRole('region', { name: 'Keys', exact: true }).getByRole('table')
    await keys.getByRole('row').nth(100).waitFor()
    expect(await keys.getByRole('row').count()).toBe(101)
    await page.getByText('These are the most used of 113.').waitFor()
    await page.getByRole('button', { name: 'Older' }).press('Enter')
    await page.getByRole('button', { name: 'Newer' }).waitFor()
    await expect.poll(() => keys.getByRole('row').count()).toBe(14)
    expect(page.url()).toContain('offset=100')
    await isSound()
    await page.getByRole('button', { name: 'Newer' }).click()
    await expect.poll(() => keys.getByRole('row').count()).toBe(101)
  })

  test('on an empty gateway it says how to get the first row', async () => {
    await using stage = await startStage(browser, '')
    const { page, isSound } = await stage.open('/console/keys')
    await page.getByText('There are no keys yet.').waitFor()
    await page.getByText('There are no teams yet.').waitFor()
    expect(await page.getByText(/curl .*\/admin\/api\/keys/).count()).toBeGreaterThan(0)
    await isSound()
  })
})
