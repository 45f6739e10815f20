import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startBrowser } from './browser.ts'
import { noBrowser, readKey, type Stage, startStage } from './stage.ts'

let browser: Browser

beforeAll(async () => {
  if (noBrowser === undefined) browser = await startBrowser()
})

afterAll(async () => browser?.close())

const notebooks = {
  ...{ name: 'notebooks', limit: 20, limit_reset: 'monthly', rpm: 60, tags: ['eu'] },
  budgets: [{ name: 'sprint', limit: 3, window: 'week', week_start: 3, zone: 'Europe/Berlin' }],
}

describe.skipIf(noBrowser)('the form that changes a key', () => {
  test('asks for what was changed, and for nothing else', async () => {
    await using stage = await startStage(browser)
    await stage.admin('POST', '/teams', { name: 'research' })
    const { page, isSound, path, bodies } = await open(stage, 'keys', notebooks)
    await page.getByRole('button', { name: 'Edit' }).click()
    const dialog = page.getByRole('dialog', { name: 'Edit notebooks' })
    await dialog.getByLabel('Name', { exact: true }).first().fill('lab notebooks')
    await dialog.getByLabel('Team').selectOption('research')
    await dialog.getByLabel('Tags').fill('eu, batch')
    await dialog.getByLabel('Requests a minute').fill('')
    await dialog.getByLabel('Calls at once').fill('4')
    await dialog.getByLabel('Models').last().fill('llama-*, talker')
    await dialog.getByLabel('Expires').fill('2100-01-02T03:04')
    await isSound()
    await dialog.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('heading', { name: 'lab notebooks', level: 1 }).waitFor()
    expect(bodies).toEqual([
      {
        ...{ name: 'lab notebooks', team: 'research', tags: ['eu', 'batch'], rpm: null, concurrency: 4 },
        ...{ models: ['llama-*', 'talker'], expires_at: new Date('2100-01-02T03:04').toISOString() },
      },
    ])
    const { data } = await stage.admin('GET', path)
    expect(data).toMatchObject({ limit: 20, limit_reset: 'monthly', tpm: null, team: 'research' })
    expect(data['budgets']).toMatchObject([{ name: 'limit' }, { name: 'sprint', week_start: 3 }])
  })

  test('changes budgets by keyboard alone: the limit, one more, and one less', async () => {
    await using stage = await startStage(browser)
    const { page, isSound, path, bodies } = await open(stage, 'keys', notebooks)
    await page.getByRole('button', { name: 'Edit' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: 'Edit notebooks' }).waitFor()
    await tabTo(page, 'document.activeElement.name === "limit"')
    await page.keyboard.type('25')
    await page.keyboard.press('Tab')
    await page.keyboard.press('ArrowDown')
    await tabTo(page, 'document.activeElement.textContent === "Add a budget"')
    await page.keyboard.press('Enter')
    await tabTo(page, 'document.activeElement.textContent === "Add a budget"', 'Shift+Tab')
    const added = page.getByRole('group', { name: 'Budget 2' })
    await added.getByLabel('USD').focus()
    await page.keyboard.type('1.5')
    await page.keyboard.press('Tab')
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('Tab')
    await page.keyboard.type('talker')
    await isSound()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    const sprint = { name: 'sprint', limit: 3, window: 'week', zone: 'Europe/Berlin', week_start: 3 }
    const all = { models: [], providers: [], per_user: false }
    const week = { limit: 1.5, window: 'week', zone: 'UTC', week_start: 1, ...all, models: ['talker'] }
    expect(bodies).toEqual([{ limit: 25, limit_reset: 'weekly', budgets: [{ ...sprint, ...all }, week] }])
    await page.getByRole('button', { name: 'Edit' }).click()
    await page.getByRole('button', { name: 'Remove budget 1' }).click()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    const { data } = await stage.admin('GET', path)
    expect(data['budgets']).toMatchObject([
      { name: 'limit', limit: 25 },
      { limit: 1.5, models: ['talker'] },
    ])
  })

  test('does not make a raise for one window last', async () => {
    await using stage = await startStage(browser)
    const { page, path, bodies } = await open(stage, 'keys', notebooks)
    const [, hash] = path.split('/keys/')
    await stage.admin('POST', '/budgets/override', { budget: `key:${hash}/sprint`, amount: 7 })
    await page.reload()
    await page.getByText('of $10.00').waitFor()
    await page.getByRole('button', { name: 'Edit' }).click()
    const budget = page.getByRole('group', { name: 'Budget 1' })
    expect(await budget.getByLabel('USD').inputValue()).toBe('3')
    await budget.getByLabel('Models').fill('talker')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(bodies).toMatchObject([{ budgets: [{ limit: 3, models: ['talker'] }] }])
  })

  test('shows what the gateway says beside the field that it is about, and keeps what was typed', async () => {
    await using stage = await startStage(browser)
    const { page, isSound, path } = await open(stage, 'keys', notebooks)
    await page.getByRole('button', { name: 'Edit' }).click()
    await page.getByLabel('Tokens a minute').fill('5000000000')
    await page.getByRole('button', { name: 'Save' }).click()
    const tokens = page.getByLabel('Tokens a minute')
    await expect.poll(() => tokens.getAttribute('aria-invalid')).toBe('true')
    const note = page.locator(`[id="${await tokens.getAttribute('aria-describedby')}"]`)
    expect(await note.innerText()).toBe('Too big: expected number to be <=1000000000.')
    await expect.poll(() => page.evaluate('document.activeElement.name')).toBe('tpm')
    await isSound(/400/)
    await tokens.fill('5000')
    await page.getByText('More of budget 1').click()
    await page.getByLabel('Days are those of').fill('Europe/Nowhere')
    await page.getByText('More of budget 1').click()
    await page.getByRole('button', { name: 'Save' }).click()
    const zone = page.getByLabel('Days are those of')
    await expect.poll(() => zone.getAttribute('aria-invalid')).toBe('true')
    // What was folded away is not, where something is wrong with it.
    await expect.poll(() => zone.isVisible()).toBe(true)
    expect(await page.getByRole('alert').allInnerTexts()).toContain('The zone is not an IANA time zone.')
    expect((await stage.admin('GET', path)).data).toMatchObject({ tpm: null })
  })

  test('keeps what somebody else changed meanwhile', async () => {
    await using stage = await startStage(browser)
    const { page, path, isSound } = await open(stage, 'keys', notebooks)
    await page.getByRole('button', { name: 'Edit' }).click()
    await page.getByLabel('Tokens a minute').fill('5000')
    await stage.admin('PATCH', path, { rpm: 90, tags: ['us'] })
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect((await stage.admin('GET', path)).data).toMatchObject({ rpm: 90, tpm: 5000, tags: ['us'] })
    await isSound(/409/)
  })

  test('asks before it overwrites what somebody else changed meanwhile', async () => {
    await using stage = await startStage(browser)
    const { page, path, isSound } = await open(stage, 'keys', notebooks, { width: 390, scheme: 'dark' })
    await page.getByRole('button', { name: 'Edit' }).click()
    await page.getByLabel('Requests a minute').fill('30')
    await page.getByLabel('Tokens a minute').fill('5000')
    await stage.admin('PATCH', path, { rpm: 90, concurrency: 2 })
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Somebody changed this meanwhile to 90. Saving again overwrites it.').waitFor()
    expect((await stage.admin('GET', path)).data).toMatchObject({ rpm: 90, tpm: null })
    expect(await page.getByLabel('Calls at once').inputValue()).toBe('2')
    await isSound(/409/)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390)
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect((await stage.admin('GET', path)).data).toMatchObject({ rpm: 30, tpm: 5000, concurrency: 2 })
  })

  test('has a name and a day for a key that manages, and no budget', async () => {
    await using stage = await startStage(browser)
    const { page, path } = await open(stage, 'keys', { name: 'ops', kind: 'management', role: 'read' })
    await page.getByRole('button', { name: 'Edit' }).click()
    expect(await page.getByLabel('Limit in USD').count()).toBe(0)
    await page.getByLabel('Name').fill('night shift')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'night shift', level: 1 }).waitFor()
    expect((await stage.admin('GET', path)).data).toMatchObject({ name: 'night shift', kind: 'management' })
  })
})

describe.skipIf(noBrowser)('the page of a team', () => {
  test('leads from a team that was made to its limits, and changes them', async () => {
    await using stage = await startStage(browser)
    const { page, asked, isSound } = await stage.open('/console/keys')
    await page.getByRole('button', { name: 'New team' }).click()
    await page.getByLabel('Name', { exact: true }).first().fill('R&D / Berlin')
    await page.getByLabel('Limit in USD').fill('100')
    await page.getByLabel('Models').last().fill('llama-*')
    await isSound()
    await page.getByRole('button', { name: 'Make the team' }).click()
    await page.getByRole('link', { name: 'R&D / Berlin', exact: true }).click()
    await page.getByRole('heading', { name: 'R&D / Berlin', level: 1 }).waitFor()
    await page.getByText('No key is in this team yet.').waitFor()
    const before = asked.length
    await page.reload()
    await page.getByText('of $100.00').waitFor()
    await page.waitForLoadState('networkidle')
    expect(asked.length - before).toBeLessThan(10)
    await isSound()
    await page.getByRole('button', { name: 'Edit' }).click()
    await page.getByLabel('Requests a minute').fill('600')
    await page.getByLabel('The limit is').selectOption('in all')
    await isSound()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('600 requests/min').waitFor()
    const { data } = await stage.admin('GET', `/teams/${encodeURIComponent('R&D / Berlin')}`)
    expect(data).toMatchObject({ rpm: 600, limit: 100, limit_reset: null, models: ['llama-*'] })
  })

  test.for([
    [0, 'No key is in this team.'],
    [1, 'One key ends with this team: its next call is refused.'],
    [2, '2 keys end with this team: their next calls are refused.'],
  ] as const)('says before a team with %i keys is deleted what ends with it', async ([keys, told]) => {
    await using stage = await startStage(browser)
    const { page, isSound } = await open(stage, 'teams', { name: 'research' })
    for (let at = 0; at < keys; at++) await stage.admin('POST', '/keys', { name: `k${at}`, team: 'research' })
    await page.reload()
    await page.getByRole('button', { name: 'Delete' }).press('Enter')
    const dialog = page.getByRole('dialog', { name: 'Delete research' })
    await dialog.getByText(told).waitFor()
    await isSound()
    await page.keyboard.press('Escape')
    expect((await stage.admin('GET', '/teams/research')).data).toMatchObject({ keys })
    await page.getByRole('button', { name: 'Delete' }).press('Enter')
    await dialog.getByRole('button', { name: 'Delete it' }).press('Enter')
    await page.getByRole('heading', { name: 'Keys, teams, budgets' }).waitFor()
    expect((await stage.admin('GET', '/keys?team=research')).data).toEqual([])
    expect(await page.getByRole('link', { name: 'research', exact: true }).count()).toBe(0)
  })

  test('can be read alone where the file declares the team, whose line it leads to', async () => {
    await using stage = await startStage(browser)
    const { page, isSound } = await stage.open('/console/teams/core', { width: 390 })
    await page.getByText('It is declared in').waitFor()
    await page.getByRole('link', { name: 'web', exact: true }).waitFor()
    expect(await page.getByRole('button', { name: /Edit|Delete/ }).count()).toBe(0)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390)
    await isSound()
    await page.locator('.notice').getByRole('link', { name: 'gateway.yaml:15' }).click()
    expect(await page.locator('tr.wanted').first().innerText()).toMatch(/limitUsd\s+5\s+gateway\.yaml:17/)
  })

  test('allows no changes with a read-only key', async () => {
    await using stage = await startStage(browser)
    const { page } = await open(stage, 'teams', { name: 'research' }, { key: readKey })
    await page.getByText('No key is in this team yet.').waitFor()
    expect(await page.getByRole('button', { name: /Edit|Delete|Raise/ }).count()).toBe(0)
  })
})

/** Makes a key or a team, and opens its page. `bodies` are of the changes that the page asks for. */
async function open(
  stage: Stage,
  what: 'keys' | 'teams',
  body: object,
  look: Parameters<Stage['open']>[1] = {},
) {
  const { data } = await stage.admin('POST', `/${what}`, body)
  const path = `/${what}/${data['hash'] ?? data['id']}`
  const opened = await stage.open(`/console${path}`, look)
  const bodies: unknown[] = []
  opened.page.on('request', (request) => {
    if (request.method() === 'PATCH') bodies.push(request.postDataJSON())
  })
  await opened.page.getByRole('heading', { level: 1 }).waitFor()
  return { ...opened, path, bodies }
}

async function tabTo(page: Page, isThere: string, key = 'Tab'): Promise<void> {
  for (let presses = 0; presses < 40; presses++) {
    if ((await page.evaluate(isThere)) === true) return
    await page.keyboard.press(key)
  }
  throw new Error(`Keys do not lead to where ${isThere}.`)
}
