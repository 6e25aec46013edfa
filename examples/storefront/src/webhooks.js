// The receiver of webhooks next to the shop, a part of `rekey dev`: the requests that it was sent, the newest first. Only the demo has one.
// A receiver of your own is in your back end: docs/webhooks.md has the code that verifies a request.

const SHOWN = 6
const PAUSE = 1000
const list = document.querySelector('#requests')
const known = new Set()

/** Shows webhooks' requests as they arrive. */
export async function watchWebhooks() {
  for (;;) {
    const fresh = document.hidden ? [] : await newRequests().catch(() => [])
    for (const request of fresh) add(request)
    await new Promise((resolve) => setTimeout(resolve, PAUSE))
  }
}

/** Returns the newest requests on the first call, then all new ones; the oldest first. */
async function newRequests() {
  const requests = await (await fetch('/dev/webhooks.json')).json()
  const keyOf = ({ event, received_at }) => `${event} ${received_at}`
  const fresh = requests.filter((request) => !known.has(keyOf(request))).slice(0, SHOWN)
  for (const request of requests) known.add(keyOf(request))
  return fresh.reverse()
}

/** Adds a request at the top. Its body is shown when it is opened; one that is open is kept however many follow. */
function add({ topic, event, verified, received_at, body }) {
  const copy = document.querySelector('#request').content.cloneNode(true)
  const part = (name) => copy.querySelector(`.${name}`)
  part('topic').textContent = topic
  part('verdict').textContent = verified ? 'signature verified' : 'wrong signature, refused'
  part('verdict').classList.toggle('error', !verified)
  part('at').textContent = new Date(received_at).toLocaleTimeString('en-GB')
  part('event').textContent = event
  const shown = part('body')
  copy.querySelector('details').addEventListener('toggle', () => {
    shown.textContent = pretty(body)
  })
  list.prepend(copy)
  for (const old of [...list.children].slice(SHOWN)) if (!old.open) old.remove()
  document.querySelector('#no-request').hidden = true
}

function pretty(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2)
  } catch {
    return body
  }
}
