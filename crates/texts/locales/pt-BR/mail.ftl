## Todos os e-mails

mail-was-you = Foi você?
mail-not-you = Não foi você?
mail-nothing-to-do = Então não é preciso fazer nada.
mail-requested = Solicitação feita em { $requested }.
mail-copy = Se o botão não funcionar, abra este link:
mail-support = Precisa de ajuda?

## Uma nova senha foi solicitada

mail-reset-subject = Escolha uma nova senha para { $shop }
mail-reset-preview = Solicitação feita em { $requested }. O link funciona uma única vez, até { $until }.
mail-reset-title = Escolha uma nova senha
mail-reset-intro = Foi solicitada uma nova senha para a sua conta em { $shop }. Você pode escolhê-la aqui:
mail-reset-button = Escolher uma nova senha
mail-reset-life = O link funciona uma única vez e é válido por { $life }, até { $until }.
mail-reset-code = Prefere continuar em outro dispositivo? Digite este código na página em que você solicitou a nova senha:
mail-reset-not-you = Então não é preciso fazer nada: sua senha continua a mesma.
mail-reset-not-me = Não fui eu que solicitei
mail-reset-secret = Não encaminhe este e-mail a ninguém. A equipe de { $shop } nunca vai pedi-lo a você.
mail-reset-why = Você recebeu este e-mail porque foi solicitada uma nova senha em { $shop } para este endereço.

## A senha foi alterada

mail-changed-subject = Sua senha para { $shop } foi alterada
mail-changed-preview = Alterada em { $changed }. Se não foi você, aja agora mesmo.
mail-changed-title = Sua senha foi alterada
mail-changed-intro = A senha da sua conta em { $shop } foi alterada em { $changed }.
mail-changed-sessions = Você precisará entrar novamente em todos os seus dispositivos.
mail-changed-not-you = Solicite imediatamente uma nova senha e avise { $shop }. Altere também a senha da sua conta de e-mail: alguém pode estar lendo as suas mensagens.
mail-changed-button = Solicitar uma nova senha
mail-changed-why = Você recebeu este e-mail porque ele trata da segurança da sua conta em { $shop }.

## O endereço de e-mail foi alterado

mail-moved-subject = Seu endereço de e-mail para { $shop } foi alterado
mail-moved-preview = Se não foi você, é possível desfazer a alteração até { $until }.
mail-moved-title = Seu endereço de e-mail foi alterado
mail-moved-intro = O endereço de e-mail da sua conta em { $shop } foi alterado em { $changed }. Não é mais o endereço para o qual enviamos este e-mail.
mail-moved-not-you = Então desfaça a alteração aqui. Sua conta terá este endereço de volta, a senha deixará de funcionar, todos os dispositivos serão desconectados e enviaremos um link para escolher uma nova senha.
mail-moved-button = Desfazer a alteração
mail-moved-life = O link funciona uma única vez e é válido até { $until }. Não encaminhe este e-mail a ninguém.

## Uma nova senha foi solicitada, mas o endereço não tem conta

mail-none-subject = Nenhuma conta em { $shop } com este endereço
mail-none-preview = Solicitação feita em { $requested }. Foi solicitada uma nova senha para um endereço sem conta.
mail-none-title = Não há conta com este endereço
mail-none-intro = Foi solicitada uma nova senha em { $shop } para este endereço, mas nenhuma conta o utiliza.
mail-none-was-you = Talvez você tenha se cadastrado com outro endereço de e-mail. Tente novamente com ele.
mail-none-button = Tentar outro endereço
mail-none-not-you = Então não é preciso fazer nada. Você pode excluir este e-mail.
mail-none-why = Você recebeu este e-mail porque alguém informou este endereço ao solicitar uma nova senha em { $shop }.
