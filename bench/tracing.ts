import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { measureInTurn } from './figures/turns.ts'

/** What traces cost: without them, with one percent of them and with all. `npm run bench:tracing -- 40`, for rounds. */
async function main([rounds = '40']: readonly string[]): Promise<void> {
  const collector = startCollector()
  try {
    await once(collector, 'listening')
    const { port } = collector.address() as AddressInfo
    const on = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` }
    await measureInTurn({
      rounds: Number(rounds),
      variants: [
        { name: 'off' },
        // Its ratio to the first is the error of the method.
        { name: 'off again' },
        { name: '1 %', environment: { ...on, OTEL_TRACES_SAMPLER_ARG: '0.01' } },
        { name: 'all', environment: { ...on, OTEL_BSP_MAX_QUEUE_SIZE: '65536' } },
      ],
    })
  } finally {
    collector.close()
    collector.closeAllConnections()
  }
}

/** It takes everything, and reads nothing. */
function startCollector() {
  return createServer((request, response) => {
    request.resume()
    request.on('end', () => response.writeHead(200).end())
  }).listen(0, '127.0.0.1')
}

await main(process.argv.slice(2))
