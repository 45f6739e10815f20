import { expect, test } from 'vitest'
import { redact } from '../../../src/providers/http-error/redact.ts'
import { withoutSecrets } from '../../../src/providers/http-error/secret-forms.ts'

const secret = 'our+Own/key=of~the.up'
const base64 = (text: string) => Buffer.from(text).toString('base64')

test.for<readonly [string, string]>([
  ['as it is', secret],
  ['percent-encoded', encodeURIComponent(secret)],
  ['percent-encoded in small letters', encodeURIComponent(secret).toLowerCase().replace('own', 'Own')],
  [
    'percent-encoded whole',
    [...secret].map((letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`).join(''),
  ],
  ['in base64', base64(secret)],
  ['in base64 after a word', base64(`Bearer ${secret}`)],
  ['in base64 after a user', base64(`user:${secret}`)],
  ['in base64 after another user', base64(`u:${secret}`)],
  ['in base64 before a colon', base64(`${secret}:`)],
  ['in base64url', Buffer.from(secret).toString('base64url')],
])('a secret is removed %s', ([, form]) => {
  const kept = withoutSecrets(`Key "${form}" is wrong.`, [secret], '[removed]')
  for (let at = 0; at + 8 <= form.length; at++) expect(kept).not.toContain(form.slice(at, at + 8))
  expect(kept).toContain('[removed]')
})

const key = 'zz-live-0123456789abcdef'

test.for([
  'zz-live-****cdef',
  'zz-...cdef',
  'zz-live-…ef',
  '****89abcdef',
  'zz-live-xxxxxxxxcdef',
  'zz-••••cdef',
])('a key that is shown as %s is removed', (form) => {
  expect(withoutSecrets(`The key ${form} is wrong.`, [key], '[removed]')).toBe('The key [removed] is wrong.')
})

test.for(['Wait...', 'a ... b', '**bold**', 'xxxx', 'zz...aa', 'The file a....b is large'])(
  '%s is left alone',
  (text) => {
    expect(withoutSecrets(text, [key], '[removed]')).toBe(text)
  },
)

test.for<readonly [string, string]>([
  ['in organization org-Ab12Cd34Ef56', 'in organization [removed]'],
  ['for acct_1MZ9q2Lk', 'for [removed]'],
  ['Project proj_a1b2c3d4 is over its limit', 'Project [removed] is over its limit'],
  ['account 123456789012 is suspended', 'account [removed] is suspended'],
  ['account id: "ab12-cd34"', 'account id: "[removed]"'],
  ['Your organization is over its limit of 3', 'Your organization is over its limit of 3'],
  ['team spirit', 'team spirit'],
])('accounts are removed: %s', ([text, kept]) => {
  expect(redact(text)).toBe(kept)
})
