import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runShell, shellEnvironment } from '../acceptance/child.ts'
import { browserPath, openPage, startBrowser } from './browser.ts'
import { adminKey, type Scene, startScene } from './scene.ts'

describe.skipIf(browserPath === undefined)('what was called', () => {
  let scene: Scene
  let browser: Awaited<ReturnType<typeof startBrowser>>
  let ids: readonly string[]
  let page: Awaited<ReturnType<typeof openPage>>['page']
  let complaints: readonly string[]

  beforeAll(async () => {
    scene = await startScene()
    browser = await startBrowser()
    ;({ page, complaints } = await openPage(browser, scene.url))
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.goto('/console')
    await page.getByLabel('Management key').fill(adminKey)
    await page.keyboard.press('Enter')
  })

  afterAll(async () => {
    await browser?.close()
    await scene?.[Symbol.asyncDispose]()
  })

  test('is nothing at first: the overview has the call to make, and looks again', async () => {
    await page.getByRole('heading', { name: 'No calls in this span of time' }).waitFor()
    const command = await page.locator('.empty pre').innerText()
    const environment = { ...shellEnvironment(), GATEWAY_KEY: 'the-key-of-the-website-bot' }
    const { code, stdout } = await runShell(`${command} -s`, { environment })
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { choices: [{}] }])
    ids = await scene.calls()
    await page.getByRole('button', { name: 'Look again' }).click()
    await expect.poll(() => statOf('Requests')).toContain(String(ids.length + 1))
  })

  test('is summed, and narrowed by what is clicked', async () => {
    expect(await statOf('Errors')).toContain('2')
    expect(await statOf('Saved')).toContain('$0.0')
    const failures = page.getByRole('table', { name: 'Errors by kind' })
    expect(await failures.innerText()).toContain('quota exhausted')
    await page.getByRole('button', { name: 'qwen3-32b' }).click()
    await page.getByRole('list', { name: 'Narrowed to' }).getByText('qwen3-32b').waitFor()
    expect(page.url()).toContain('model=qwen3-32b')
    await expect.poll(() => statOf('Requests')).toBe('1')
    await page.getByRole('button', { name: 'Remove Model' }).click()
    await page.locator('.pick select').selectOption('key')
    await page.getByRole('table', { name: 'By key' }).waitFor()
    expect(page.url()).not.toContain('model=')
  })

  test('is drawn over time, and told as a table, too', async () => {
    const drawn = page.getByRole('img', { name: /^Requests by the hour: Requests: at most/ })
    await drawn.waitFor()
    await page.getByRole('button', { name: 'Table of Requests by the hour' }).press('Enter')
    const table = page.getByRole('table', { name: 'Requests by the hour' })
    expect(await table.getByRole('row').nth(1).innerText()).toMatch(/\t8\t2$/)
    await page.getByRole('button', { name: 'Table of Requests by the hour' }).press('Enter')
    await drawn.waitFor()
  })

  test('is drawn in the colours of the page', async () => {
    await page.getByLabel('Colours').selectOption('dark')
    await expect.poll(() => page.evaluate(hasPixelOf(63, 179, 170))).toBe(true)
    await page.getByLabel('Colours').selectOption('light')
    await expect.poll(() => page.evaluate(hasPixelOf(28, 138, 135))).toBe(true)
  })

  test('is of any span of time', async () => {
    await page.getByRole('button', { name: 'Other…' }).click()
    const dialog = page.getByRole('dialog', { name: 'Span of time' })
    await dialog.getByLabel('From').fill('2026-01-01T00:00')
    await dialog.getByLabel('To').fill('2026-01-02T00:00')
    await dialog.getByRole('button', { name: 'Show' }).click()
    await page.getByRole('heading', { name: 'No calls in this span of time' }).waitFor()
    expect(page.url()).toContain('from=2026-01-01')
    await page.getByRole('button', { name: '7 d' }).click()
    await page.getByText('Whole answer by the day', { exact: true }).waitFor()
  })

  test('is listed, and searched by what the URL says', async () => {
    await page.goto('/console/calls')
    const table = page.getByRole('table', { name: 'Calls, the latest first' })
    await table.waitFor()
    await expect.poll(() => table.getByRole('row').count()).toBe(ids.length + 2)
    await page.getByRole('button', { name: 'Failed', exact: true }).click()
    await page.waitForURL(/status=failed/)
    await table.getByText('quota exhausted').waitFor()
    await expect.poll(() => table.getByRole('row').count()).toBe(3)
    await page.getByRole('button', { name: 'Filter' }).click()
    await page.getByLabel('Status').fill('')
    await page.getByLabel('Deployment').fill('sim-drip-2@spare')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.waitForURL(/deployment=sim-drip-2/)
    await expect.poll(() => table.getByRole('row').count()).toBe(2)
    await page.reload()
    await page.getByRole('list', { name: 'Filters' }).getByText('sim-drip-2@spare').waitFor()
    await page.getByRole('button', { name: 'Remove Deployment' }).click()
  })

  test('is found by the name of a key, and by a tag', async () => {
    await page.goto('/console/calls')
    await page.getByRole('button', { name: 'Filter' }).click()
    await page.getByLabel('Tags').fill('batch')
    await page.getByLabel('Key').selectOption({ label: 'research-batch' })
    // The answers that filled in the keys took nothing away of what was typed before them.
    expect(await page.getByLabel('Tags').inputValue()).toBe('batch')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.waitForURL(/key=\w+&tags=batch/)
    const table = page.getByRole('table', { name: 'Calls, the latest first' })
    await expect.poll(() => table.getByRole('row').count()).toBe(3)
    const chips = page.getByRole('list', { name: 'Filters' })
    expect(await chips.getByRole('listitem').allInnerTexts()).toEqual([
      expect.stringContaining('Key: research-batch'),
      expect.stringContaining('Tags: batch'),
    ])
    await page.goto('/console?by=tags')
    await page.getByRole('link', { name: 'Calls of batch' }).click()
    await page.waitForURL(/calls\?tags=batch/)
    await expect.poll(() => table.getByRole('row').count()).toBe(3)
  })

  test('appears while one watches', async () => {
    await page.goto('/console/calls?model=mistral-7b')
    await page.getByRole('button', { name: 'Live' }).click()
    await page.getByText('Calls appear as they end.').waitFor()
    const id = await scene.call('mistral-7b')
    await scene.call('llama-3.1-8b')
    const fresh = page.locator('tr.fresh')
    await fresh.waitFor()
    expect(await fresh.count()).toBe(1)
    expect(await fresh.getByRole('link').getAttribute('href')).toContain(id)
  })

  test('is reported in full: the attempts, who was considered, what it cost, and how to make it again', async () => {
    await page.goto(`/console/calls/${ids[4]}`)
    await page.getByText('continued the answer here').waitFor()
    const attempts = page.locator('.waterfall li')
    expect(await attempts.count()).toBe(2)
    expect(await attempts.nth(0).innerText()).toContain('interrupted')
    const considered = page.getByRole('table', { name: 'Deployments that were considered' })
    expect(await considered.innerText()).toContain('tried first')
    await page.getByRole('button', { name: 'Copy as curl' }).click()
    await page.getByText('Copied').waitFor()
    expect(await page.evaluate('navigator.clipboard.readText()')).toContain(`${scene.url}/v1/completions`)
    await page.goto(`/console/calls/${ids[6]}`)
    await page.getByText('It failed of quota exhausted').waitFor()
    const budget = page.getByRole('link', { name: 'the budget "day" of the key intern' })
    expect(await budget.getAttribute('href')).toMatch(/^\/console\/keys\?budget=budget%2Fkey%3A/)
    await page.getByRole('link', { name: 'Other calls that failed of it' }).click()
    await page.waitForURL(/failure=quota_exhausted/)
  })

  test('made the browser complain of nothing', () => {
    expect(complaints).toEqual([])
  })

  async function statOf(name: string): Promise<string> {
    const stat = page.locator('.stat', { has: page.getByText(name, { exact: true }) })
    return await stat.locator('.value').innerText()
  }
})

/** Whether a canvas of the page has a pixel of that colour, such as a bar's; to be run in the page. */
function hasPixelOf(red: number, green: number, blue: number): string {
  return `[...document.querySelectorAll('canvas')].some((canvas) => {
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true })
    copy.drawImage(canvas, 0, 0)
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height)
    for (let at = 0; at < data.length; at += 4) {
      const isSame = data[at] === ${red} && data[at + 1] === ${green} && data[at + 2] === ${blue}
      if (isSame && data[at + 3] === 255) return true
    }
    return false
  })`
}
