// All pages to look at; `open(page)` prepares and opens each.
import { buttonIn, choosePassword, forgetPassword, heading, logIn } from './pages.js'
import { PASSWORD, mailTo, newCustomer, notMeLinkOf, resetLink } from './service.js'

/** The demo storefront's pages, only in English. */
export const storefront = [
  { name: 'storefront: log in', open: (page) => page.goto('/') },
  {
    name: 'storefront: a refused log-in',
    async open(page) {
      await page.goto('/')
      await logIn(page, await newCustomer(), 'not this one')
      await page.getByRole('alert').filter({ hasText: 'don’t belong together' }).waitFor()
    },
  },
  {
    name: 'storefront: forgot password',
    async open(page) {
      await page.goto('/#forgot')
      await page.getByRole('heading', { name: 'Forgot your password?' }).waitFor()
    },
  },
  {
    name: 'storefront: the mail and a webhook next to it',
    async open(page) {
      const mail = await forgetPassword(page, await newCustomer())
      await buttonIn(mail).waitFor()
      await page.locator('#requests summary').first().click()
      // Another one may be the first by now.
      await page.locator('#requests [open] pre').first().waitFor()
    },
  },
  {
    name: 'storefront: logged in',
    async open(page) {
      await page.goto('/')
      await logIn(page, await newCustomer(), PASSWORD)
      await page.getByText('You are logged in').waitFor()
    },
  },
  { name: 'storefront: new password', open: openOwn },
  {
    name: 'storefront: a refused new password',
    async open(page) {
      await openOwn(page)
      await choosePassword(page, 'short')
      await page.getByRole('alert').filter({ hasText: 'too short' }).waitFor()
    },
  },
  {
    name: 'storefront: password changed',
    async open(page) {
      await openOwn(page)
      await choosePassword(page)
      await heading(page, 'Your password was changed')
    },
  },
  {
    name: 'storefront: a dead link',
    async open(page) {
      await page.goto('/new-password')
      await heading(page, 'This link no longer works')
    },
  },
]

/** The hosted pages, in the reader's language. */
export const hosted = [
  { name: 'hosted: forgot password', open: (page) => page.goto('/forgot-password') },
  {
    name: 'hosted: a refused address',
    async open(page) {
      await page.goto('/forgot-password')
      await page.locator('button[type=submit]').click()
      await page.locator('[aria-invalid=true]').waitFor()
    },
  },
  {
    name: 'hosted: a mail is on its way',
    async open(page) {
      await page.goto('/forgot-password')
      await page.locator('input[type=email]').fill(await newCustomer())
      await page.locator('button[type=submit]').click()
      await page.waitForURL('**/sent*')
    },
  },
  { name: 'hosted: new password', open: openHosted },
  {
    name: 'hosted: a refused new password',
    async open(page) {
      await openHosted(page)
      const email = await page.locator('input[autocomplete=username]').inputValue()
      await page.locator('input[type=password]').fill(email)
      await page.keyboard.press('Enter')
      await page.locator('[aria-invalid=true]').waitFor()
    },
  },
  {
    name: 'hosted: password changed',
    async open(page) {
      await openHosted(page)
      await page.locator('input[type=password]').fill('a brand new password')
      await page.keyboard.press('Enter')
      await page.locator('input[type=password]').waitFor({ state: 'detached' })
    },
  },
  { name: 'hosted: a link that did not arrive', open: (page) => page.goto('/reset-password') },
  {
    name: 'hosted: a dead link',
    async open(page) {
      await openHosted(page)
      await page.locator('input[type=password]').fill('a brand new password')
      await page.keyboard.press('Enter')
      await page.locator('input[type=password]').waitFor({ state: 'detached' })
      await page.goto('/reset-password?locale=' + await languageOf(page))
    },
  },
  { name: 'hosted: it wasn\'t me', open: openNotMe },
  {
    name: 'hosted: a disavowed reset',
    async open(page) {
      await openNotMe(page)
      await page.locator('button[type=submit]').click()
      await page.locator('form').waitFor({ state: 'detached' })
      await page.locator('h1').waitFor()
    },
  },
  {
    name: 'hosted: it wasn\'t me, but the link was used',
    async open(page) {
      const email = await newCustomer()
      await page.goto(await resetLink(email, await languageOf(page)))
      await page.locator('input[type=password]').fill('a brand new password')
      await page.keyboard.press('Enter')
      await page.locator('input[type=password]').waitFor({ state: 'detached' })
      await page.goto(notMeLinkOf(await mailTo(email)))
    },
  },
  { name: 'hosted: no such page', open: (page) => page.goto('/forgot-password/nowhere') },
]

/** Other pages of `rekey dev`. */
export const others = [
  { name: 'mails', open: (page) => page.goto('/dev/mails') },
  { name: 'mailbox', open: (page) => page.goto('/dev/mailbox') },
]

async function openOwn(page) {
  await page.goto(`/new-password${new URL(await resetLink(await newCustomer())).search}`)
  await heading(page, 'Choose a new password')
}

async function openHosted(page) {
  await page.goto(await resetLink(await newCustomer(), await languageOf(page)))
  await page.locator('input[type=password]').waitFor()
}

async function openNotMe(page) {
  const email = await newCustomer()
  await resetLink(email, await languageOf(page))
  await page.goto(notMeLinkOf(await mailTo(email)))
}

/** Opens the link in a mail; mail and page are in the reader's language. */
function languageOf(page) {
  return page.evaluate(() => navigator.language)
}
