## Tous les e-mails

mail-was-you = C’était vous ?
mail-not-you = Ce n’était pas vous ?
mail-nothing-to-do = Vous n’avez rien à faire.
mail-requested = Demande du { $requested }.
mail-copy = Si le bouton ne fonctionne pas, ouvrez ce lien :
mail-support = Besoin d’aide ?

## Un nouveau mot de passe a été demandé

mail-reset-subject = Choisissez un nouveau mot de passe pour { $shop }
mail-reset-preview = Demande du { $requested }. Le lien ne fonctionne qu’une fois, jusqu’au { $until }.
mail-reset-title = Choisissez un nouveau mot de passe
mail-reset-intro = Un nouveau mot de passe a été demandé pour votre compte chez { $shop }. Vous pouvez le choisir ici :
mail-reset-button = Choisir un nouveau mot de passe
mail-reset-life = Le lien ne fonctionne qu’une fois. Il est valable { $life }, jusqu’au { $until }.
mail-reset-code = Vous préférez continuer sur un autre appareil ? Saisissez ce code sur la page où vous avez demandé le nouveau mot de passe :
mail-reset-not-you = Vous n’avez rien à faire : votre mot de passe reste inchangé.
mail-reset-not-me = Je n’ai rien demandé
mail-reset-secret = Ne transmettez cet e-mail à personne. Personne chez { $shop } ne vous le demandera.
mail-reset-why = Vous recevez cet e-mail parce qu’un nouveau mot de passe a été demandé chez { $shop } pour cette adresse.

## Le mot de passe a été modifié

mail-changed-subject = Votre mot de passe pour { $shop } a été modifié
mail-changed-preview = Modifié le { $changed }. Si ce n’était pas vous, agissez sans attendre.
mail-changed-title = Votre mot de passe a été modifié
mail-changed-intro = Le mot de passe de votre compte chez { $shop } a été modifié le { $changed }.
mail-changed-sessions = Vous devez vous reconnecter sur tous vos appareils.
mail-changed-not-you = Demandez tout de suite un nouveau mot de passe et prévenez { $shop }. Changez aussi le mot de passe de votre messagerie : quelqu’un lit peut-être vos e-mails.
mail-changed-button = Demander un nouveau mot de passe
mail-changed-why = Vous recevez cet e-mail parce qu’il concerne la sécurité de votre compte chez { $shop }.

## L’adresse e-mail a été modifiée

mail-moved-subject = Votre adresse e-mail pour { $shop } a été modifiée
mail-moved-preview = Si ce n’était pas vous, vous pouvez annuler jusqu’au { $until }.
mail-moved-title = Votre adresse e-mail a été modifiée
mail-moved-intro = L’adresse e-mail de votre compte chez { $shop } a été modifiée le { $changed }. Ce n’est plus celle à laquelle nous envoyons cet e-mail.
mail-moved-not-you = Annulez alors la modification ici. Votre compte retrouvera cette adresse, son mot de passe cessera de fonctionner, tous les appareils seront déconnectés, et nous vous enverrons un lien pour choisir un nouveau mot de passe.
mail-moved-button = Annuler la modification
mail-moved-life = Le lien fonctionne une seule fois et est valable jusqu’au { $until }. Ne transférez cet e-mail à personne.

## Un nouveau mot de passe a été demandé, mais l’adresse n’a pas de compte

mail-none-subject = Aucun compte chez { $shop } avec cette adresse
mail-none-preview = Demande du { $requested }. Un nouveau mot de passe a été demandé pour une adresse sans compte.
mail-none-title = Aucun compte n’utilise cette adresse
mail-none-intro = Un nouveau mot de passe a été demandé chez { $shop } pour cette adresse, mais aucun compte ne l’utilise.
mail-none-was-you = Vous avez peut-être créé votre compte avec une autre adresse e-mail. Réessayez avec cette autre adresse.
mail-none-button = Essayer une autre adresse
mail-none-not-you = Vous n’avez rien à faire. Vous pouvez supprimer cet e-mail.
mail-none-why = Vous recevez cet e-mail parce que quelqu’un a saisi cette adresse pour demander un nouveau mot de passe chez { $shop }.
