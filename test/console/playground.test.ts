import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startBrowser } from './browser.ts'
import { callerKey, noBrowser, readKey, startStage } from './stage.ts'

let browser: Browser

beforeAll(async () => {
  if (noBrowser === undefined) browser = await startBrowser()
})

afterAll(async () => browser?.close())

describe.skipIf(noBrowser)('the playground', () => {
  test('asks two models side by side, by keyboard, and tells the time and cost of each', async () => {
    await using stage = await startStage(browser)
    const { page, asked, isSound } = await stage.open('/console/playground')
    await page.getByRole('button', { name: 'Make one for an hour' }).click()
    await page.getByText('it is good for an hour').waitFor()
    await page.getByLabel('Two models side by side').check()
    await page.getByRole('combobox', { name: 'Right model' }).fill('talker')
    await page.getByLabel('Message').fill('Say it.')
    await isSound()
    await page.keyboard.press('Control+Enter')
    for (const [side, deployment] of [
      ['Left model', 'sim-echo@one'],
      ['Right model', 'sim-long-30@two'],
    ] as const) {
      const panel = page.getByRole('region', { name: side, exact: true })
      await panel.getByText('Cost').waitFor()
      expect(await panel.innerText()).toMatch(
        new RegExp(
          `Cost\\s*\\$0\\.0000.*First token.*In all.*Tokens\\s*\\d+ in, \\d+ out.*${deployment}`,
          's',
        ),
      )
      expect(await panel.getByRole('link', { name: 'The call' }).getAttribute('href')).toMatch(
        /^\/console\/calls\/req_/,
      )
    }
    expect(asked.filter((path) => !path.includes('/v1/')).length).toBeLessThan(10)
    await isSound()
  })

  test('continues with a chat, with its parameters, and whole where that is asked for', async () => {
    await using stage = await startStage(browser)
    const { page } = await stage.open('/console/playground?model=llama-3.3-70b', { key: readKey })
    expect(await page.getByRole('button', { name: 'Make one for an hour' }).count()).toBe(0)
    await page.getByLabel('Key for calls').fill(callerKey)
    await page.getByLabel('As a stream').uncheck()
    await page.getByText('Parameters').click()
    await page.getByLabel('Temperature').fill('0.5')
    await page.getByLabel('System', { exact: true }).fill('Be short.')
    const sent: unknown[] = []
    page.on('request', (request) => {
      if (request.url().endsWith('/v1/chat/completions')) sent.push(request.postDataJSON())
    })
    for (const words of ['One.', 'Two.']) {
      await page.getByLabel('Message').fill(words)
      await page.getByRole('button', { name: 'Send' }).click()
      await page.locator('.said.assistant', { hasText: words }).waitFor()
      await page.getByText('Ran at').waitFor()
    }
    expect(sent.at(-1)).toEqual({
      model: 'llama-3.3-70b',
      temperature: 0.5,
      messages: [
        { role: 'system', content: 'Be short.' },
        { role: 'user', content: 'One.' },
        { role: 'assistant', content: 'One.' },
        { role: 'user', content: 'Two.' },
      ],
    })
  })

  test('stops a running answer, and needs no key where none is configured; on a phone, in the dark', async () => {
    await using stage = await startStage(browser, '')
    const { page, isSound } = await stage.open('/console/playground?model=sim-drip-200-long-500', {
      ...{ scheme: 'dark', width: 390 },
    })
    expect(await page.getByLabel('Key for calls').count()).toBe(0)
    await page.getByLabel(/^As a(?! stream)/).selectOption('completion')
    await page.getByLabel('Prompt').fill('Go on')
    await page.getByRole('button', { name: 'Send' }).click()
    await page
      .locator('.said.assistant')
      .filter({ hasText: /\w+ \w+/ })
      .waitFor()
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByText('stopped').waitFor()
    await isSound()
  })
})
