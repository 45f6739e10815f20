/** The address of endpoints with a queue. */
export const defaultUrl = 'https://api.runpod.ai/v2'

export type Endpoint = {
  readonly baseUrl: string
  readonly endpointId: string
  /** The endpoint has no queue, and its own host. */
  readonly loadBalancer: boolean
}

/** The addresses of an endpoint: origin, path prefix, the base URL of OpenAI's paths, and the health path. */
export function endpointAddress({ baseUrl, endpointId, loadBalancer }: Endpoint) {
  const given = baseUrl.replace(/\/+$/, '')
  const own = given === defaultUrl ? `https://${endpointId}.api.runpod.ai` : given
  const { origin, pathname } = new URL(loadBalancer ? own : `${given}/${endpointId}`)
  const prefix = pathname.replace(/\/+$/, '')
  return {
    origin,
    prefix,
    openAiUrl: `${origin}${prefix}${loadBalancer ? '' : '/openai'}/v1`,
    healthPath: `${prefix}/${loadBalancer ? 'ping' : 'health'}`,
  }
}
