import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'

/** Where Debian puts its browser; undefined: there is none. */
export const browserPath = [
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => existsSync(path))

export async function startBrowser(): Promise<Browser> {
  if (browserPath === undefined)
    throw new TypeError('There is no Chromium: apt-get install chromium-headless-shell.')
  return await chromium.launch({
    executablePath: browserPath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
}

/** A page, and all that it complained about. */
export type Watched = { readonly page: Page; readonly complaints: readonly string[] }

export type Look = { readonly scheme?: 'light' | 'dark'; readonly width?: number; readonly height?: number }

export async function openPage(
  browser: Browser,
  url: string,
  { scheme = 'light', width = 1280, height = 800 }: Look = {},
): Promise<Watched> {
  const page = await browser.newPage({
    baseURL: url,
    colorScheme: scheme,
    viewport: { width, height },
    reducedMotion: 'reduce',
  })
  page.setDefaultTimeout(150_000)
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  return { page, complaints }
}
