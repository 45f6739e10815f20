import type { Context, Middleware } from 'koa'
import { modelNameOf } from '../../dialects/shared/models.ts'

/**
 * Maps Azure's paths to OpenAI's: `/openai/…` and `/openai/v1/…` to `/v1/…`, and `/openai/deployments/{model}/` with
 * `chat/completions`, `completions` or `embeddings`. The model in the path overrides the body's; its slashes may be
 * encoded or not. `?api-version=` is ignored. Throws `model_not_found` for a name that cannot be decoded.
 */
export function mapAzurePaths(): Middleware {
  return function mapAzurePath(ctx, next) {
    const { path } = ctx
    if (!path.startsWith('/openai/')) return next()
    ctx.state['requestedPath'] = path
    const [, model, operation] =
      /^\/openai\/deployments\/(.+?)\/(chat\/completions|completions|embeddings)$/.exec(path) ?? []
    if (model !== undefined) {
      ctx.state['model'] = modelNameOf(model)
      ctx.path = `/v1/${operation}`
    } else if (!path.startsWith('/openai/deployments/')) {
      ctx.path = path.replace(/^\/openai\/(?:v1\/)?/, '/v1/')
    }
    return next()
  }
}

/** The path in the caller's request, for error messages. */
export function requestedPath({ state, path }: Context): string {
  const requested: unknown = state['requestedPath']
  return typeof requested === 'string' ? requested : path
}
