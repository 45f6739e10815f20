import * as z from 'zod'
import { families } from '../../core/adapt/template.ts'
import type { Call, RawDelta } from '../../core/model/call.ts'
import type { Attempt, Upstream } from '../../core/model/ports.ts'
import {
  addressSetting,
  boundsSettings,
  keySettingOf,
  oneChoiceOf,
  queueOf,
  retryOf,
  secretSetting,
} from '../base/common-settings.ts'
import type { Provider, ProviderTools } from '../base/provider.ts'
import { type Asked, readHttpError } from '../http-error/http-error.ts'
import { readWhole } from '../wire/whole-text.ts'
import { createWire, requestHeaders } from '../wire/wire.ts'
import type { WireAnswer } from '../wire/wire-answer.ts'
import { readPandotateAnswer } from './answer.ts'
import { type PandotateRequest, pandotateRequest } from './request.ts'

const defaultUrl = 'https://api.pandotate.com/api/inference'

const settings = z.strictObject({
  ...boundsSettings({ connectMs: 5000, firstTokenMs: 30_000, idleMs: 30_000, totalMs: 30_000 }),
  url: addressSetting.default(defaultUrl),
  apiKey: secretSetting.optional(),
  /** How chat messages become one prompt; `auto` goes by the model's name. */
  promptFormat: z.enum(['auto', ...families]).default('auto'),
  /** Whether such a prompt begins with the family's first token: not where the upstream adds it itself. */
  bos: z.boolean().default(false),
  /** Whether calls go out without any key. Unset: to an address other than Pandotate's own they do. */
  keyless: z.boolean().optional(),
})

/** Pandotate: one prompt in, one output out, never a stream. Without a key of ours, with a caller's `pk_…`. */
export const pandotate: Provider<PandotateSettings> = {
  type: 'pandotate',
  settings,
  create,
  // It does not report what it charges.
  priceList: () => undefined,
}

export type PandotateSettings = z.infer<typeof settings>

function create(name: string, given: PandotateSettings, tools: ProviderTools): Upstream {
  const { apiKey, bos, keyless, promptFormat, url } = given
  // It answers in one piece: waiting for the first token is waiting for the whole.
  const clocks = { ...given.clocks, firstTokenMs: given.clocks.totalMs }
  const { clock, detokenizer } = tools
  const { origin, pathname, search } = new URL(url)
  const path = pathname + search
  const connections = given.concurrency
  const wire = createWire({ name, origin, connectMs: clocks.connectMs, connections, clock })
  const keys = createKeys(apiKey, keyless ?? url !== defaultUrl, tools.userAgent)
  const keySetting = keySettingOf(name, pandotate.type)
  const requestParts = { provider: name, promptFormat, bos, detokenizer }

  /** By `then`: an async function costs every call a kilobyte. */
  function post(call: Call, attempt: Attempt, request: PandotateRequest): Promise<readonly RawDelta[]> {
    const { owner, headers } = keys.choose(call.credential)
    return wire.postForWhole(path, headers, request.body.wire, attempt, answerBytes).then((answer) => {
      if (answer.status < 200 || answer.status >= 300) return refused(answer, call, owner)
      return readWhole(answer, answerBytes, (text) => {
        const reply = readPandotateAnswer(text, request, name)
        attempt.notes.ending = 'value'
        return [reply]
      })
    })
  }

  async function refused(
    answer: WireAnswer,
    { model, credential, body }: Call,
    key: Asked['key'],
  ): Promise<never> {
    const secrets = [apiKey, credential].filter((secret) => secret !== undefined)
    throw await readHttpError(answer, {
      provider: name,
      model,
      key,
      keySetting,
      secrets,
      epochMs: clock.epochMs(),
      request: () => body.text,
    })
  }

  return {
    name,
    clocks,
    retry: retryOf(given),
    drains: given.onAbort === 'drain',
    queue: queueOf(given),
    oneChoice: oneChoiceOf(true),
    lacks: ['suffix', 'best_of', 'logprobs'],
    takesPrefix: true,
    knownModels: [],
    admits: keys.admits,
    keySetting,
    callerKey: 'pk_…',
    send(call, attempt) {
      try {
        const request = pandotateRequest(call, attempt, requestParts)
        if (!(request instanceof Promise)) return post(call, attempt, request)
        return request.then((spelled) => post(call, attempt, spelled))
      } catch (thrown) {
        return Promise.reject(thrown)
      }
    },
    close: () => wire.close(),
  }
}

/** More than any answer of use. */
const answerBytes = 64 * 1024 * 1024

/** Which key a call goes out with. While there is one of ours, a caller's goes nowhere. */
interface Keys {
  admits(credential: string | undefined): boolean
  choose(credential: string | undefined): { readonly owner: Asked['key']; readonly headers: string[] }
}

function createKeys(apiKey: string | undefined, isKeyless: boolean, userAgent: string): Keys {
  if (apiKey !== undefined) {
    const ours = { owner: 'ours', headers: requestHeaders(userAgent, `Bearer ${apiKey}`) } as const
    return { admits: () => true, choose: () => ours }
  }
  const none = { owner: 'none', headers: requestHeaders(userAgent, undefined) } as const
  return {
    admits: (credential) => isKeyless || isPandotateKey(credential),
    choose(credential) {
      if (!isPandotateKey(credential)) return none
      return { owner: 'callers', headers: requestHeaders(userAgent, `Bearer ${credential}`) }
    },
  }
}

function isPandotateKey(credential: string | undefined): boolean {
  return credential?.startsWith('pk_') ?? false
}
