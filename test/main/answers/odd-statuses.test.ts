import { expect, test } from 'vitest'
import { ask, startGatewayAt } from '../../harness/gateway-over.ts'
import { startRawServer } from '../../harness/raw-server.ts'

const messages = [{ role: 'user', content: 'Hi' }]
const reply = JSON.stringify({
  ...{ id: 'c', object: 'chat.completion', created: 1, model: 'm' },
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Hi' } }],
})

const fine = ['200', '201', '203', '206', '299']
const odd = [
  ...[
    '000',
    '099',
    '100',
    '101',
    '102',
    '103',
    '199',
    '204',
    '205',
    '300',
    '301',
    '302',
    '304',
    '307',
    '399',
  ],
  ...['402', '405', '406', '407', '410', '411', '418', '421', '426', '431', '444', '451', '460', '499'],
  ...[
    '505',
    '507',
    '508',
    '520',
    '521',
    '522',
    '523',
    '524',
    '525',
    '530',
    '561',
    '598',
    '599',
    '600',
    '999',
  ],
]

test.for([...fine, ...odd])(
  'status %s of an upstream is an answer, or a failure that has a name',
  async (status) => {
    await using server = await startRawServer((socket) => {
      const body = /^(?:1|0|204|205|304)/.test(status) ? '' : reply
      const length = status.startsWith('1') ? '' : `content-length: ${body.length}\r\n`
      socket.end(`HTTP/1.1 ${status} Whatever\r\ncontent-type: application/json\r\n${length}\r\n${body}`)
    })
    await using gateway = await startGatewayAt(server.origin)
    const heard = await ask(gateway, '/v1/chat/completions', { model: 'm', messages })
    const { attempts, outcome } = await gateway.recorded()
    if (fine.includes(status)) {
      expect({ status: heard.status, outcome }).toEqual({ status: 200, outcome: 'ok' })
      return
    }
    expect(outcome).toBe('failed')
    expect(heard.status).toBeGreaterThanOrEqual(400)
    expect(heard.status).not.toBe(500)
    expect(heard.values).toMatchObject([{ error: { message: expect.any(String), type: expect.any(String) } }])
    expect(attempts.every(({ failure }) => failure?.isBug !== true)).toBe(true)
  },
)
