import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { createCallerAddress, createProxyCheck, type TrustProxy } from '../../src/http/caller-address.ts'

test.for<[string, TrustProxy, string, string | undefined, string]>([
  ['nobody is trusted: the peer', 0, '10.0.0.7', '203.0.113.9', '10.0.0.7'],
  ['an empty list: the peer', [], '10.0.0.7', '203.0.113.9', '10.0.0.7'],
  ['no header: the peer', 1, '10.0.0.7', undefined, '10.0.0.7'],
  ['one proxy', 1, '10.0.0.7', '203.0.113.9', '203.0.113.9'],
  ['one proxy, and what the caller made up', 1, '10.0.0.7', '1.1.1.1, 203.0.113.9', '203.0.113.9'],
  ['two proxies', 2, '10.0.0.7', '1.1.1.1, 203.0.113.9, 198.51.100.2', '203.0.113.9'],
  ['more proxies than there are', 5, '10.0.0.7', '203.0.113.9', '203.0.113.9'],
  ['a listed peer', ['10.0.0.0/8'], '10.0.0.7', '203.0.113.9', '203.0.113.9'],
  ['a peer that is not listed', ['10.0.0.0/8'], '192.0.2.1', '203.0.113.9', '192.0.2.1'],
  ['listed hops are passed over', ['10.0.0.0/8'], '10.0.0.7', '203.0.113.9, 10.1.2.3', '203.0.113.9'],
  [
    'the first that is not listed ends it',
    ['10.0.0.0/8'],
    '10.0.0.7',
    '9.9.9.9, 8.8.8.8, 10.1.2.3',
    '8.8.8.8',
  ],
  ['IPv4 within IPv6', ['10.0.0.0/8'], '::ffff:10.0.0.7', '::ffff:203.0.113.9', '203.0.113.9'],
  ['IPv6, with brackets and a port', ['::1/128'], '::1', '[2001:DB8::1]:4711', '2001:db8::1'],
  ['IPv4 with a port, as Azure writes it', 1, '10.0.0.7', '203.0.113.9:5544', '203.0.113.9'],
  ['what is no address ends it', 2, '10.0.0.7', '203.0.113.9, unknown', '10.0.0.7'],
  ['a socket, with a listed proxy', ['127.0.0.0/8'], '', '203.0.113.9', '203.0.113.9'],
  ['a socket, and nobody is trusted', [], '', '203.0.113.9', ''],
])('%s', ([, trusted, remoteAddress, forwarded, expected]) => {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
  const request = { socket: { remoteAddress: remoteAddress || undefined }, headers }
  expect(createCallerAddress(createProxyCheck(trusted))(request as unknown as IncomingMessage)).toBe(expected)
})
