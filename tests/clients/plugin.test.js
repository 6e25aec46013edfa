// The plugin for webhooks of the vendor's command-line tool, unmodified. Its commands run in this process, by its own entry, and the one that
// waits as a program. `webhooks:topics` is left out: it opens a page of the vendor's in a browser.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { after, before, describe, mock, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { run } from '@commercelayer/cli-plugin-webhooks'
import { Command } from '@oclif/core'
import { column, newCustomer, sdks, tokenOf } from './clients.js'
import { receiver } from './receiver.js'
import { newName, service } from './service.js'

const TOPIC = 'customer_password_resets.create'
const root = fileURLToPath(new URL('node_modules/@commercelayer/cli-plugin-webhooks', import.meta.url))
const printed = []

/** Runs a command, and returns what it returns: the records that it prints. */
function cl(command, ...parameters) {
  return run([`webhooks:${command}`, ...parameters], { root })
}

/** Waits until something is printed; some commands return before they have done their work. */
async function prints(pattern, lines = printed) {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(20)) {
    if (pattern.test(lines.join('\n'))) return
  }
  assert.match(lines.join('\n'), pattern)
}

describe('cli-plugin-webhooks', () => {
  const heard = []
  let backOffice, target, hook, callback

  before(async () => {
    const accessToken = await tokenOf('integration')
    backOffice = sdks[1].connect(accessToken)
    mock.method(Command.prototype, 'log', (text = '') => printed.push(text))
    // As the tool passes them to its plugins after a log-in. It looks for a newer version of itself unless forbidden.
    const { organization, domain } = service
    Object.assign(process.env, { CL_CLI_ORGANIZATION: organization, CL_CLI_DOMAIN: domain, CL_CLI_ACCESS_TOKEN: accessToken })
    Object.assign(process.env, { NO_UPDATE_NOTIFIER: '1', NO_COLOR: '1' })
    target = await receiver()
    hook = await cl('create', '--topic', TOPIC, '--url', target.url, '--include', 'customer')
    // It prints events when it ends, unless to a terminal: here five seconds, its least, after the last one.
    const listen = ['--import', './service.js', `${root}/bin/run.js`, 'webhooks:listen', hook.id, '--time', '5']
    spawn(process.execPath, listen).stdout.setEncoding('utf8').on('data', (part) => heard.push(part))
  })
  after(async () => {
    await cl('destroy', hook.id)
    await prints(new RegExp(`destroyed webhook with id ${hook.id}`))
    target.close()
  })

  test('events, event and payload show what was sent', async () => {
    const { email } = await newCustomer(backOffice)
    await prints(/Listening webhook/, heard)
    await backOffice.customer_password_resets.create({ customer_email: email })
    const { body } = await target.next()
    for (const end = Date.now() + 60_000; Date.now() < end && !callback?.response_code; ) [callback] = await cl('events', hook.id)
    assert.deepEqual([callback.response_code, callback.response_message], ['200', 'thanks'])
    assert.deepEqual((await cl('event', callback.id, '--payload')).payload, JSON.parse(body))
    printed.length = 0
    await cl('payload', callback.id)
    assert.deepEqual(JSON.parse(printed.join('')), JSON.parse(body))
  })

  test('create, list, details, update, disable, enable and reset', async () => {
    assert.deepEqual([hook.topic, hook.include_resources, hook.name], [TOPIC, ['customer'], `Webhook ${hook.id}`])
    const name = newName()
    await cl('update', hook.id, '--name', name)
    assert.ok(column(await cl('list', '--topic', TOPIC), 'name').includes(name))
    assert.ok((await cl('disable', hook.id)).disabled_at)
    assert.equal((await cl('enable', hook.id)).disabled_at, null)
    await cl('reset', hook.id)
    await prints(/circuit breaker .* has been successfully reset/)
    printed.length = 0
    const details = await cl('details', hook.id, '--events')
    assert.deepEqual([details.name, column(details.last_event_callbacks, 'id')], [name, [callback.id]])
    const text = printed.join('\n')
    for (const shown of [name, target.url, hook.shared_secret, 'closed']) assert.ok(text.includes(shown), shown)
  })

  test('what is refused is printed', async () => {
    await assert.rejects(cl('details', 'aaaaaaaaaa'), /Unable to find webhook with id aaaaaaaaaa/)
    await assert.rejects(cl('create', '--topic', 'orders.place', '--url', target.url), /is not the name of an event/)
  })

  test('listen shows the event as it arrives', async () => {
    // Without the answer, if it looks before there is one.
    await prints(new RegExp(`--> .*${callback.id}`), heard)
  })
})
