import { Failure } from '../../core/model/failure.ts'

/** The error for OpenAI features that this gateway lacks; undefined for anything else. */
export function notImplementedAt(path: string, method: string): Failure | undefined {
  const below = /^(?:\/v1|\/inference(?:\/v1)?|\/openai\/deployments\/[^/]+)\/(.+)$/.exec(path)?.[1]
  const what = below === undefined ? undefined : find(below, method)
  if (what === undefined) return undefined
  return new Failure('not_implemented', `This gateway does not serve ${what}.`, {
    // The status alone would make SDKs retry.
    headers: { 'x-should-retry': 'false' },
  })
}

function find(below: string, method: string): string | undefined {
  const found = [...unserved, ...unservedBetween].find(([pattern]) => pattern.test(below))?.[1]
  return (
    found ??
    unservedMethods.find(([methods, pattern]) => methods.includes(method) && pattern.test(below))?.[2]
  )
}

/** By the beginning of the path below its prefix. */
const unserved: readonly (readonly [RegExp, string])[] = Object.entries({
  assistants: 'assistants',
  audio: 'audio: no speech, no transcriptions, no translations',
  batches: 'batches',
  chatkit: 'ChatKit',
  containers: 'containers',
  conversations: 'conversations',
  detokenize: 'the text of tokens',
  edits: 'edits',
  engines: 'engines: name the model in the body',
  evals: 'evals',
  files: 'files',
  fine_tuning: 'fine-tuning',
  'fine-tunes': 'fine-tuning',
  images: 'images',
  moderations: 'moderations',
  organization: 'the administration of organizations',
  projects: 'the administration of projects',
  realtime: 'realtime sessions',
  skills: 'skills',
  threads: 'threads and runs',
  uploads: 'uploads',
  vector_stores: 'vector stores',
  videos: 'videos',
}).map(([start, what]) => [new RegExp(`^${RegExp.escape(start)}(?:/|$)`), what] as const)

/** Paths below served ones, some of which look like a response's path. */
const unservedBetween: typeof unserved = [
  [/^chat\/completions\/./, 'stored chats'],
  [/^responses\/input_tokens$/, "the count of a response's tokens: `/tokenize` counts those of a chat"],
  [/^responses\/compact$/, 'the compaction of responses'],
  [/^responses\/[^/]+\/cancel$/, 'responses in the background, which alone could be cancelled'],
]

/** Other methods on served paths. */
const unservedMethods: readonly (readonly [methods: readonly string[], path: RegExp, what: string])[] = [
  [['GET', 'HEAD'], /^chat\/completions$/, 'stored chats'],
  [['DELETE'], /^models\/./, 'the deletion of models'],
]
