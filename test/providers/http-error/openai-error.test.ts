import { expect, test } from 'vitest'
import { Failure } from '../../../src/core/model/failure.ts'
import { oneChoiceOf } from '../../../src/providers/base/common-settings.ts'
import { createOpenAiCompatible, openaiCompatible } from '../../../src/providers/openai/openai-compatible.ts'
import type { Quirks } from '../../../src/providers/openai/quirks.ts'
import { call, tell } from '../../harness/core/simulated-call.ts'
import { answer, startRawServer, streamed } from '../../harness/raw-server.ts'
import { tools } from '../../harness/tools.ts'

const readError: Quirks['readError'] = ({ message }, { provider, model }) =>
  message === 'no room' ? new Failure('overloaded', `Busy with ${model}.`, { provider }) : undefined

test.for<[boolean, string, object]>([
  [false, 'no room', { kind: 'overloaded', message: 'Busy with m.', provider: 'up' }],
  [true, 'no room', { kind: 'overloaded', message: 'Busy with m.', provider: 'up' }],
  [false, 'no good', { kind: 'rejected', message: 'no good', provider: 'up' }],
  [true, 'no good', { kind: 'rejected', message: 'no good', provider: 'up' }],
])(
  'a server may have its own way to say what went wrong: stream %s, %s',
  async ([stream, message, failure]) => {
    const error = JSON.stringify({ error: { message, code: 400 } })
    await using server = await startRawServer((socket) =>
      socket.write(stream ? streamed([`data: ${error}\n\n`]) : answer(error)),
    )
    const baseUrl = `${server.origin}/v1`
    const settings = {
      ...openaiCompatible.settings.parse({ baseUrl }),
      baseUrl,
      oneChoice: oneChoiceOf(false),
    }
    const upstream = createOpenAiCompatible('up', settings, tools, { readError })
    expect((await tell(upstream, call({ model: 'm', stream }))).failure).toMatchObject(failure)
    await upstream.close()
  },
)
