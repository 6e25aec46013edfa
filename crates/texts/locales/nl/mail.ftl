## Alle e-mails

mail-was-you = Was u dit?
mail-not-you = Was u dit niet?
mail-nothing-to-do = Dan hoeft u niets te doen.
mail-requested = Aangevraagd op { $requested }.
mail-copy = Werkt de knop niet? Open dan deze link:
mail-support = Hulp nodig?

## Er is een nieuw wachtwoord aangevraagd

mail-reset-subject = Stel een nieuw wachtwoord in voor { $shop }
mail-reset-preview = Aangevraagd op { $requested }. De link werkt één keer, tot { $until }.
mail-reset-title = Stel een nieuw wachtwoord in
mail-reset-intro = Er is een nieuw wachtwoord aangevraagd voor uw account bij { $shop }. U kunt het hier kiezen:
mail-reset-button = Nieuw wachtwoord kiezen
mail-reset-life = De link werkt één keer en is { $life } geldig, tot { $until }.
mail-reset-code = Gaat u liever verder op een ander apparaat? Vul deze code in op de pagina waar u het nieuwe wachtwoord hebt aangevraagd:
mail-reset-not-you = Dan hoeft u niets te doen: uw wachtwoord blijft zoals het is.
mail-reset-not-me = Ik heb dit niet aangevraagd
mail-reset-secret = Stuur deze e-mail aan niemand door. Niemand van { $shop } zal u er ooit om vragen.
mail-reset-why = U ontvangt deze e-mail omdat er voor dit adres een nieuw wachtwoord is aangevraagd bij { $shop }.

## Het wachtwoord is gewijzigd

mail-changed-subject = Uw wachtwoord voor { $shop } is gewijzigd
mail-changed-preview = Gewijzigd op { $changed }. Was u dit niet? Onderneem dan meteen actie.
mail-changed-title = Uw wachtwoord is gewijzigd
mail-changed-intro = Het wachtwoord van uw account bij { $shop } is gewijzigd op { $changed }.
mail-changed-sessions = Overal waar u was ingelogd, moet u opnieuw inloggen.
mail-changed-not-you = Vraag dan meteen een nieuw wachtwoord aan en waarschuw { $shop }. Wijzig ook het wachtwoord van uw e-mailaccount: misschien leest iemand uw e-mails mee.
mail-changed-button = Nieuw wachtwoord aanvragen
mail-changed-why = U ontvangt deze e-mail omdat het om de veiligheid van uw account bij { $shop } gaat.

## Het e-mailadres is gewijzigd

mail-moved-subject = Uw e-mailadres voor { $shop } is gewijzigd
mail-moved-preview = Was u dit niet? Dan kunt u het ongedaan maken tot { $until }.
mail-moved-title = Uw e-mailadres is gewijzigd
mail-moved-intro = Het e-mailadres van uw account bij { $shop } is gewijzigd op { $changed }. Het is niet meer het adres waarnaar wij deze e-mail sturen.
mail-moved-not-you = Maak de wijziging dan hier ongedaan. Uw account krijgt dit adres terug, het wachtwoord werkt niet meer, alle apparaten worden uitgelogd en wij sturen u een link om een nieuw wachtwoord te kiezen.
mail-moved-button = Wijziging ongedaan maken
mail-moved-life = De link werkt één keer en is geldig tot { $until }. Stuur deze e-mail aan niemand door.

## Er is een nieuw wachtwoord aangevraagd, maar het adres heeft geen account

mail-none-subject = Geen account bij { $shop } met dit adres
mail-none-preview = Aangevraagd op { $requested }. Er is een nieuw wachtwoord aangevraagd voor een adres zonder account.
mail-none-title = Er is geen account met dit adres
mail-none-intro = Er is voor dit adres een nieuw wachtwoord aangevraagd bij { $shop }, maar er is geen account met dit adres.
mail-none-was-you = Dan hebt u zich misschien met een ander e-mailadres geregistreerd. Probeer het opnieuw met dat adres.
mail-none-button = Ander adres proberen
mail-none-not-you = Dan hoeft u niets te doen. U kunt deze e-mail verwijderen.
mail-none-why = U ontvangt deze e-mail omdat iemand dit adres heeft opgegeven om een nieuw wachtwoord bij { $shop } aan te vragen.
