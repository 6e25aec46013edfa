// Chromium, with a separate context for each test.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { chromium } from 'playwright-core'
import { url } from './service.js'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
// A container has no user namespace for the sandbox; only our own pages are opened. The other flags disable background requests.
const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--no-first-run',
]
// Timeouts of a step and of a whole test, far above their durations on an idle machine.
const PATIENCE = 60_000
const WHOLE = 10 * PATIENCE

const executablePath = process.env.CHROMIUM ?? PLACES.find((place) => existsSync(place))

let chrome
before(async () => {
  assert.ok(executablePath, 'no Chromium: scripts/setup.sh installs it, or CHROMIUM names it')
  chrome = await chromium.launch({ executablePath, args: FLAGS })
})
after(() => chrome?.close())

/**
 * Runs a test in a context with these options of Playwright; `body` gets `{ context, page, requests }`, where `requests` are all
 * requests of its pages. They may only go to the service, unless `elsewhere` names other origins. A failure saves a screenshot of
 * every page, and prints its path.
 */
export function browserTest(name, options, body) {
  const { elsewhere = [], ...contextOptions } = options
  test(name, { timeout: WHOLE }, async () => {
    const context = await chrome.newContext({ baseURL: url, locale: 'en-GB', ...contextOptions })
    context.setDefaultTimeout(PATIENCE)
    const requests = []
    context.on('request', (request) => requests.push(request))
    try {
      await body({ context, page: await context.newPage(), requests })
      const foreign = requests.map((request) => request.url()).filter((to) => ![url, ...elsewhere].includes(new URL(to).origin))
      assert.deepEqual(foreign, [], 'nothing is asked of a third party')
    } catch (failure) {
      // Node prints the stack, which was formatted when the error was created.
      failure.stack += `\n${await pictures(context)}`
      throw failure
    } finally {
      await context.close()
    }
  })
}

/** Runs a test with a folder for a browser's profile; `open()` starts a browser with it, and returns `{ context, page }`. */
export function profileTest(name, body) {
  test(name, { timeout: WHOLE }, async () => {
    const profile = await mkdtemp(join(tmpdir(), 'rekey-profile-'))
    const opened = []
    const open = async () => {
      const context = await chromium.launchPersistentContext(profile, { executablePath, args: FLAGS, baseURL: url, locale: 'en-GB' })
      opened.push(context)
      context.setDefaultTimeout(PATIENCE)
      return { context, page: context.pages()[0] }
    }
    try {
      await body({ profile, open })
    } finally {
      await Promise.all(opened.map((context) => context.close()))
      await rm(profile, { recursive: true, force: true })
    }
  })
}

async function pictures(context) {
  const folder = await mkdtemp(join(tmpdir(), 'rekey-browser-'))
  const pages = context.pages().filter((page) => !page.isClosed())
  const taken = pages.map(async (page, index) => {
    const path = join(folder, `page-${index + 1}.png`)
    await page.screenshot({ path, fullPage: true, timeout: 5_000 })
    return `${page.url()} looked like ${path}`
  })
  const shown = await Promise.allSettled(taken)
  return shown.map(({ value, reason }) => value ?? `no picture: ${reason.message}`).join('\n')
}
