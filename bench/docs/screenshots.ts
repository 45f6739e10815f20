import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { startBrowser } from '../../test/console/browser.ts'
import { type OpenPage, startStage } from '../../test/console/stage.ts'

// Pictures of the console's pages, in light and dark, and on a phone, of a gateway over simulators: `npm run
// docs:screenshots -- DIRECTORY`.

const [directory = 'screenshots'] = process.argv.slice(2)

const looks = {
  light: { scheme: 'light' },
  dark: { scheme: 'dark' },
  phone: { scheme: 'light', width: 390, height: 800 },
} as const

/** What is done on a page before its picture is taken. */
const pages: Readonly<Record<string, (open: OpenPage) => Promise<unknown>>> = {
  '': async () => undefined,
  calls: async () => undefined,
  keys: ({ page }) => page.getByRole('row', { name: /web daily/ }).waitFor(),
  'keys/HASH': async ({ page }) => {
    await page.getByRole('button', { name: 'Edit' }).click()
    await page.getByRole('dialog', { name: 'Edit notebooks' }).waitFor()
  },
  'teams/core': ({ page }) => page.getByRole('row', { name: /notebooks/ }).waitFor(),
  models: ({ page }) => page.getByRole('row', { name: /sim-echo at one/ }).waitFor(),
  explain: async ({ page }) => {
    await page.getByRole('button', { name: 'Explain' }).click()
    await page.getByText('Who was considered').waitFor()
  },
  playground: async ({ page }) => {
    await page.getByLabel('Two models side by side').check()
    await page.getByRole('combobox', { name: 'Right model' }).fill('talker')
    await page.getByRole('button', { name: 'Make one for an hour' }).click()
    await page.getByText('it is good for an hour').waitFor()
    await page.getByLabel('Message').fill('Which of you is the quicker?')
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByText('Cost', { exact: true }).nth(1).waitFor()
  },
  settings: ({ page }) => page.getByRole('row', { name: /fanOut/ }).waitFor(),
}

const browser = await startBrowser()
await using stage = await startStage(browser)
for (const model of ['llama-3.3-70b', 'talker', 'llama-3.3-70b', 'talker', 'talker']) {
  await (await stage.call(model)).text()
}
const { data: key } = await stage.admin('POST', '/keys', {
  ...{ name: 'notebooks', limit: 20, limit_reset: 'monthly', team: 'core' },
})
mkdirSync(directory, { recursive: true })
for (const [name, prepare] of Object.entries(pages)) {
  for (const [look, options] of Object.entries(looks)) {
    const path = `/console/${name}`.replace(/\/$/, '').replace('HASH', String(key['hash']))
    const open = await stage.open(path, options)
    await prepare(open)
    await open.page.waitForLoadState('networkidle')
    const picture = join(
      directory,
      `${name.split('/')[0] || 'overview'}${name.includes('/') ? '-one' : ''}-${look}.png`,
    )
    await open.page.screenshot({ path: picture, fullPage: true })
    process.stdout.write(`${picture}\n`)
  }
}
await browser.close()
