// Chromium, with a context of its own for every test, which shares nothing with any other.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { chromium } from 'playwright-core'
import { url } from './service.js'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
// In a container there is no user namespace for the sandbox; nothing but our own pages is opened. The rest keeps it quiet.
const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--no-first-run',
]
// Far more than anything here takes on an idle machine: of one step, and of a whole test.
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
 * A test in a context with these options of Playwright's; `body` gets `{ context, page, requests }`, where `requests` are all
 * that its pages have made. They may only go to the service, unless `elsewhere` names other origins. A failure leaves a
 * picture of every page, and says where.
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
      // Node shows the stack, which was written when the failure was made.
      failure.stack += `\n${await pictures(context)}`
      throw failure
    } finally {
      await context.close()
    }
  })
}

/** A test with a folder for a browser's profile; `open()` starts a browser on it, and gives `{ context, page }`. */
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
  const told = await Promise.allSettled(taken)
  return told.map(({ value, reason }) => value ?? `no picture: ${reason.message}`).join('\n')
}
