import type { Context, Middleware } from 'koa'
import { modelNameOf } from '../../dialects/shared/models.ts'

/**
 * Maps Azure's paths to OpenAI's: `/openai/…` and `/openai/v1/…` to `/v1/…`, and
 * `/openai/deployments/{model}/chat/completions`, `/completions` or `/embeddings`, where the model in the path, with
 * encoded slashes or not, overrides the body's. `?api-version=` is ignored. Throws `model_not_found` for a name that
 * cannot be decoded.
 */
export function takeAzurePaths(): Middleware {
  return function takeAzurePath(ctx, next) {
    const { path } = ctx
    if (!path.startsWith('/openai/')) return next()
    ctx.state['askedPath'] = path
    const [, model, asked] =
      /^\/openai\/deployments\/(.+?)\/(chat\/completions|completions|embeddings)$/.exec(path) ?? []
    if (model !== undefined) {
      ctx.state['model'] = modelNameOf(model)
      ctx.path = `/v1/${asked}`
    } else if (!path.startsWith('/openai/deployments/')) {
      ctx.path = path.replace(/^\/openai\/(?:v1\/)?/, '/v1/')
    }
    return next()
  }
}

/** The path as the caller wrote it, for error messages. */
export function askedPath({ state, path }: Context): string {
  const asked: unknown = state['askedPath']
  return typeof asked === 'string' ? asked : path
}
