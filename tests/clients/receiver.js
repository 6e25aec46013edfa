// A receiver of webhooks on this machine.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { newName } from './service.js'

/** Starts a receiver at `url`, which answers `thanks`: `next()` is the next request. */
export async function receiver() {
  const waiting = [], requests = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request.setEncoding('utf8')) body += part
    const came = { headers: request.headers, body }
    const taker = waiting.shift()
    taker ? taker(came) : requests.push(came)
    response.end('thanks')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${server.address().port}/${newName()}`,
    next: () => requests.shift() ?? new Promise((resolve) => waiting.push(resolve)),
    close: () => server.close(),
  }
}
