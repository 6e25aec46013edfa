// The operators' console, by keyboard only, as tests/e2e/tests/console.rs sets it up. It is no *.test.js, since it needs servers of its own.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { violations } from './axe.js'
import { browserTest } from './browser.js'
import { tabTo } from './focus.js'
import { heading } from './pages.js'

const given = (name) => process.env[name] ?? assert.fail(`${name} is not set`)
const site = given('REKEY_CONSOLE_URL')
const [dead, bounced, customer] = ['REKEY_DEAD_MAIL', 'REKEY_BOUNCED_ADDRESS', 'REKEY_CUSTOMER'].map(given)
const password = given('REKEY_OPERATOR_PASSWORD')

browserTest('an operator finds a mail, has it sent, and lifts a suppression', { baseURL: site, elsewhere: [site] }, async ({ context, page }) => {
  const complaints = []
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()))
  await page.goto('/')
  await heading(page, 'Sign in')
  await look(page, 'sign-in')
  await page.keyboard.type('anna')
  await tabTo(page, page.getByLabel('Password'))
  await page.keyboard.type(password)
  await page.keyboard.press('Enter')
  await heading(page, 'Overview')
  const [cookie] = await context.cookies()
  assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, 'Strict', '/'])
  assert.equal(await page.getByRole('link', { name: '2', exact: true }).getAttribute('href'), '/dead-letters')
  await page.getByRole('row', { name: /sent 1 0/ }).waitFor()
  await page.getByText('250').first().waitFor()
  await look(page, 'overview')

  await tabTo(page, page.getByRole('link', { name: 'Mails', exact: true }))
  await page.keyboard.press('Enter')
  await heading(page, 'Mails')
  await look(page, 'mails')
  await tabTo(page, page.getByLabel('Address, reset id or mail id'))
  await page.keyboard.type(` ${customer.toUpperCase()} `)
  await page.keyboard.press('Enter')
  await page.getByText('1 mail, newest first').waitFor()
  await tabTo(page, page.getByRole('link', { name: dead }))
  await page.keyboard.press('Enter')
  await heading(page, `Mail ${dead}`)
  const steps = () => page.getByRole('list').filter({ hasText: 'created' }).getByRole('listitem').allInnerTexts()
  assert.match((await steps()).join('\n'), /created[^]*failed[^]*forged event/)
  await look(page, 'mail-failed')

  await tabTo(page, page.getByRole('link', { name: 'Dead letters' }))
  await page.keyboard.press('Enter')
  await heading(page, 'Dead letters')
  await page.getByText('forged event: the tag does not match').first().waitFor()
  await look(page, 'dead-letters')
  await tabTo(page, page.getByRole('button', { name: `Replay ${dead}` }))
  await page.keyboard.press('Enter')
  await page.getByRole('status').filter({ hasText: 'back with the mailer' }).waitFor()
  await page.reload()
  assert.equal(await page.getByRole('button', { name: /^Replay/ }).count(), 1)
  await page.goto(`/mails?q=${dead}`)
  for (let looks = 0; !(await page.getByText('by 127.0.0.1').count()); looks += 1) {
    assert.ok(looks < 300, 'the mail was not sent in a minute')
    await page.waitForTimeout(200)
    await page.reload()
  }
  assert.match((await steps()).join('\n'), /failed[^]*operator[^]*replay_dead_letter by anna[^]*sent/)
  await page.getByText('It is not sent again: a relay has accepted it').waitFor()
  await look(page, 'mail-sent')

  await tabTo(page, page.getByRole('link', { name: 'Suppressions' }))
  await page.keyboard.press('Enter')
  await heading(page, 'Suppressions')
  await look(page, 'suppressions')
  await tabTo(page, page.getByRole('button', { name: `Lift ${bounced}` }))
  await page.keyboard.press('Enter')
  await page.getByRole('status').filter({ hasText: 'Mails go to this address again' }).waitFor()
  await page.getByText('No suppressed address was found').waitFor()

  await tabTo(page, page.getByRole('link', { name: 'Webhooks' }))
  await page.keyboard.press('Enter')
  await heading(page, 'Webhooks')
  await page.getByRole('row', { name: /Back-office open 30 customers.create shop/ }).waitFor()
  await look(page, 'webhooks')
  await tabTo(page, page.getByRole('link', { name: 'Back-office' }))
  await page.keyboard.press('Enter')
  await heading(page, 'Webhook Back-office')
  await page.getByText('2 callbacks of the last 30 days failed').waitFor()
  await page.getByText('503 <h1>Down for maintenance</h1>').first().waitFor()
  await look(page, 'webhook')
  await tabTo(page, page.getByRole('button', { name: 'Close the circuit' }))
  await page.keyboard.press('Enter')
  await page.getByRole('status').filter({ hasText: 'The circuit is closed' }).waitFor()
  await tabTo(page, page.getByRole('button', { name: /^Replay .*, failed$/ }).first())
  await page.keyboard.press('Enter')
  await page.getByRole('status').filter({ hasText: 'The callback is due again' }).waitFor()
  await page.getByText('1 callback of the last 30 days failed').waitFor()
  await tabTo(page, page.getByRole('button', { name: 'Replay those that failed' }))
  await page.keyboard.press('Enter')
  await page.getByRole('status').filter({ hasText: 'since then are due again' }).waitFor()
  for (let looks = 0; (await page.getByRole('row', { name: /delivered 1 – 200 an answer/ }).count()) < 2; looks += 1) {
    assert.ok(looks < 300, 'the callbacks were not delivered in a minute')
    await page.waitForTimeout(200)
    await page.reload()
  }
  await page.getByText('All that has ended in the last 30 days was delivered').waitFor()

  await page.goto('/mails/AAAAAAAAAA')
  await heading(page, 'Not found')
  await look(page, 'not-found')
  await page.goto('/')
  await tabTo(page, page.getByRole('button', { name: 'Sign out' }))
  await page.keyboard.press('Enter')
  await page.getByRole('status').filter({ hasText: 'You are signed out' }).waitFor()
  await page.goto('/mails')
  await heading(page, 'Sign in')
  assert.deepEqual(complaints.filter((text) => !text.includes('404')), [], 'the policy blocks nothing')
})

/** Runs axe on the page in light and dark, checks that it fits a phone, and keeps pictures in REKEY_PICTURES, if that is set. */
async function look(page, name) {
  const { REKEY_PICTURES: folder } = process.env
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme })
    assert.deepEqual(await violations(page), [], `${name}, ${colorScheme}`)
    if (folder) await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`), fullPage: true })
  }
  await page.emulateMedia({ colorScheme: 'light' })
  const size = page.viewportSize()
  await page.setViewportSize({ width: 320, height: 700 })
  const width = await page.evaluate(() => document.documentElement.scrollWidth)
  assert.ok(width <= 320, `${name}: ${width} px in 320`)
  if (folder) await page.screenshot({ path: join(folder, `${name}-phone.png`), fullPage: true })
  await page.setViewportSize(size)
}
