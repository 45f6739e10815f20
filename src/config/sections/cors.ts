import * as z from 'zod'

/** `cors` of gateway.yaml: the origins whose pages may call the gateway. By default none. */
export const corsSetting = z.strictObject({ origins: z.array(originSetting()).default([]) }).prefault({})

function originSetting() {
  return z.string().refine(isOrigin).meta({
    expected: 'an origin as browsers send it, such as https://app.example or http://localhost:3000, or *',
  })
}

function isOrigin(text: string): boolean {
  if (text === '*') return true
  // `URL` has no origin for the schemes of extensions and desktop apps.
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@*,A-Z]+$/.test(text)) return false
  return !/^https?:/.test(text) || (URL.canParse(text) && new URL(text).origin === text)
}
