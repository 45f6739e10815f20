import type { Call } from '../model/call.ts'
import { isObject } from '../model/json/json.ts'
import { type Lack, lackNames, type Upstream } from '../model/ports.ts'
import { isRanked } from './best-of.ts'
import { refusedInConversion, takesKind } from './convert-kind.ts'
import { unsupportedField } from './prompt-fields.ts'

/** A feature that the request uses, the upstream lacks and the gateway cannot emulate; undefined if there is none. */
export function unsupportedFeatures(call: Call, upstream: Shape): string | undefined {
  const { lacks } = upstream
  if (!takesKind(upstream, call.kind)) {
    if (isRanked(call)) return 'best_of'
    const refused = refusedInConversion(call)
    if (refused !== undefined) return refused
  }
  return lacks?.find((lack) => isMissed[lack](call, lacks))
}

/** True for most calls: it uses no feature that an upstream may lack, unless the upstream has no calls of this kind. */
export function isPlain(call: Call): boolean {
  return !lackNames.some((lack) => isMissed[lack](call, lackNames))
}

/** Throws `unsupported`, naming the field. */
export function refuseUnsupportedFeatures(call: Call, upstream: Shape & Pick<Upstream, 'name'>): void {
  if (upstream.lacks === undefined && upstream.kinds === undefined) return
  const field = unsupportedFeatures(call, upstream)
  if (field !== undefined) throw unsupportedField(field, upstream.name)
}

type Shape = Pick<Upstream, 'kinds' | 'lacks'>

const isMissed: Readonly<Record<Lack, (call: Call, lacks: readonly Lack[]) => boolean>> = {
  logprobs: isScored,
  // A logit bias cannot be emulated.
  logit_bias: ({
    body: {
      value: { logit_bias: bias },
    },
  }) => isObject(bias) && Object.keys(bias).length > 0,
  suffix: ({ kind, body }) => kind === 'text' && (body.value['suffix'] ?? '') !== '',
  // An emulated echo has no logprobs, and token ids cannot be echoed as text.
  echo: (call) =>
    call.kind === 'text' &&
    call.body.value['echo'] === true &&
    (isScored(call) || !isText(call.body.value['prompt'])),
  // Candidates are ranked here, by logprobs.
  best_of: (call, lacks) => isRanked(call) && lacks.includes('logprobs'),
  custom_tools: () => false,
}

/** A boolean in a chat, a count in a text call. */
function isScored({
  body: {
    value: { logprobs, top_logprobs: top },
  },
}: Call): boolean {
  return logprobs === true || typeof logprobs === 'number' || (typeof top === 'number' && top > 0)
}

function isText(prompt: unknown): boolean {
  const prompts: readonly unknown[] = Array.isArray(prompt) ? prompt : [prompt]
  return prompts.every((each) => typeof each === 'string')
}
