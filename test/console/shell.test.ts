import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'
import { browserPath, openPage, startBrowser } from './browser.ts'
import { adminKey, readerKey, type Scene, startScene } from './scene.ts'

describe.skipIf(browserPath === undefined)('the console', () => {
  let scene: Scene
  let browser: Awaited<ReturnType<typeof startBrowser>>

  beforeAll(async () => {
    scene = await startScene()
    browser = await startBrowser()
  })

  afterAll(async () => {
    await browser?.close()
    await scene?.[Symbol.asyncDispose]()
  })

  const open = (options = {}) => openPage(browser, scene.url, options)

  test('says what is wrong with a key, and then leads to the page that was wanted', async () => {
    const { page } = await open()
    await page.goto('/console/calls?status=failed')
    await page.getByLabel('Management key').fill('no-key-of-this-gateway')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').getByText('Incorrect management key provided').waitFor()
    await page.getByLabel('Management key').fill(adminKey)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Calls', level: 1 }).waitFor()
    expect(page.url()).toBe(`${scene.url}/console/calls?status=failed`)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('Management key').waitFor()
    await page.close()
  })

  test('asks for a key again once the one it was opened with is gone', async () => {
    const manage = (method: string, path: string, body?: object) =>
      fetch(`${scene.url}/admin/api/keys${path}`, {
        method,
        headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
    const made = await manage('POST', '', { name: 'for a while', kind: 'management', role: 'read' })
    const { key, data } = (await made.json()) as { key: string; data: { hash: string } }
    const { page } = await open()
    await signIn(page, key)
    await manage('DELETE', `/${data.hash}`)
    // The page may have asked already, and know.
    await page.goto('/console/calls')
    await page.getByLabel('Management key').waitFor()
    await page.close()
  })

  test('is gone through by keys alone: a new page begins at its beginning', async () => {
    const { page } = await open()
    await signIn(page, adminKey)
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('Skip to the page')
    for (let presses = 0; (await focused(page)) !== 'Calls' && presses < 10; presses++)
      await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Calls', level: 1 }).waitFor()
    await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('main')
    await expect.poll(() => page.title()).toBe('Calls · Pandotate Gateway')
    await page.goBack()
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()
    await expect.poll(() => page.title()).toBe('Overview · Pandotate Gateway')
    await page.close()
  })

  test('is dark or light as the system is, or as was chosen here, which it remembers', async () => {
    const { page } = await open({ scheme: 'dark' })
    await signIn(page, adminKey)
    const back = () => page.evaluate('getComputedStyle(document.documentElement).backgroundColor')
    const dark = await back()
    await page.getByLabel('Colours').selectOption('light')
    const light = await back()
    expect(light).not.toBe(dark)
    await page.reload()
    await page.getByLabel('Colours').waitFor()
    expect(await back()).toBe(light)
    await page.close()
  })

  test('leads to nothing that is not there', async () => {
    const { page } = await open()
    await signIn(page, adminKey)
    await page.goto('/console/nowhere')
    await page.getByRole('heading', { name: 'No such page' }).waitFor()
    await page.close()
  })

  test('has no controls for changes with a read-only key', async () => {
    const { page } = await open()
    await signIn(page, readerKey)
    await page.goto('/console/keys')
    await page.getByText('research-batch').first().waitFor()
    expect(await page.getByRole('button', { name: 'New key' }).count()).toBe(0)
    await page.close()
  })

  test('says that the gateway is unreachable, and how old the data is', async () => {
    const { page } = await open()
    await signIn(page, adminKey)
    await page.getByText('No calls in this span of time').waitFor()
    await page.context().setOffline(true)
    await page.getByRole('button', { name: 'Refresh' }).click()
    await page.getByText('The gateway cannot be reached. What is shown is as of').waitFor()
    await page.context().setOffline(false)
    // It looks for itself, and asks again.
    await page
      .getByText('The gateway cannot be reached. What is shown is as of')
      .waitFor({ state: 'detached' })
    await page.close()
  })

  test('says where nobody is asked for a key, and how to make the first call', async () => {
    await using gateway = await startTestGateway()
    const { page, complaints } = await openPage(browser, gateway.url)
    await page.goto('/')
    await page.getByText('Open: no key is configured').waitFor()
    expect(page.url()).toBe(`${gateway.url}/console`)
    await page.getByText(`curl ${gateway.url}/v1/chat/completions`).waitFor()
    expect(await page.getByRole('button', { name: 'Sign out' }).count()).toBe(0)
    // It keeps no ledger, and says so: a browser complains of every status that is no success.
    expect(complaints.filter((one) => !one.includes('404'))).toEqual([])
    await page.goto('/console/calls')
    await page.getByRole('heading', { name: 'This gateway keeps no ledger' }).waitFor()
    expect(await page.getByRole('alert').count()).toBe(0)
    await page.close()
  })
})

type Page = Awaited<ReturnType<typeof openPage>>['page']

async function signIn(page: Page, key: string): Promise<void> {
  await page.goto('/console')
  await page.getByLabel('Management key').fill(key)
  await page.keyboard.press('Enter')
  await page.getByRole('navigation', { name: 'Pages', exact: true }).waitFor()
}

async function focused(page: Page): Promise<string> {
  return String(await page.evaluate('document.activeElement.textContent')).trim()
}
