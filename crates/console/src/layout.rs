//! What every page has around it: bar, menu, keys, what was just done.

use crate::{
    assets,
    icon::Icon,
    look::Theme,
    page::{Body, Door, Group, Menu, Page, Renewal},
    pages::{
        PAGES,
        views::{self, BY_LETTER},
    },
    parts,
    terms::Tone,
    visit::Visit,
    word::{Language, Word, words},
};
use maud::{DOCTYPE, Markup, html};

words! {
    SKIP = "Skip to the content", "跳到正文";
    MENU = "Menu", "菜单";
    GROUP_WATCH = "Watch", "监测";
    GROUP_DECIDE = "Decide", "处置";
    GROUP_PROVE = "Prove", "举证";
    GROUP_RUN = "Run", "运维";
    SEARCH = "Search", "搜索";
    SEARCH_HINT = "Payment, decision, approval …", "支付号、决策号、审批号…";
    ACCOUNT = "Your account", "我的账户";
    SIGN_OUT = "Sign out", "退出登录";
    THEME = "Theme", "主题";
    THEME_AUTO = "As the system", "跟随系统";
    THEME_LIGHT = "Light", "浅色";
    THEME_DARK = "Dark", "深色";
    THEME_CONTRAST = "High contrast", "高对比度";
    SINGLE_KEYS = "Single-letter keys", "单字母快捷键";
    TURN_ON = "On", "开启";
    TURN_OFF = "Turn off", "关闭";
    PALETTE = "Go to …", "前往…";
    KEYS = "Keys", "快捷键";
    KEY_PALETTE = "Go anywhere", "快速跳转";
    KEY_SEARCH = "Search box", "搜索框";
    KEY_DOWN = "Next row", "下一行";
    KEY_UP = "Previous row", "上一行";
    KEY_OPEN = "Open the row", "打开所在行";
    KEY_BACK = "One page up", "返回上一级";
    KEY_PICK = "Pick the row", "选取所在行";
    KEY_SHEET = "This sheet", "本说明";
    CLOSE = "Close", "关闭窗口";
    TIMES = "Times are UTC. Values of customers are masked.", "时间均为 UTC。客户数据已脱敏。";
    WHERE = "Where you are", "当前位置";
}

/// The whole page.
pub(crate) fn whole(v: &Visit, page: Option<&Page>, body: &Body) -> Markup {
    let look = v.look;
    let is_inside = is_inside(v);
    html! {
        (DOCTYPE)
        html lang=(look.language.tag()) data-theme=(look.theme.name()) data-keys=(if look.keys { "on" } else { "off" }) data-keymap=[v.own.changed()] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (body.title) " · Paywarden" }
                @if let Some(Renewal { after_s, to }) = &body.renewal {
                    noscript { meta http-equiv="refresh" content=(format!("{after_s};url={to}")); }
                }
                link rel="icon" type="image/svg+xml" href=(assets::address("mark.svg"));
                link rel="stylesheet" href=(assets::address("console.css"));
                script type="module" src=(assets::address("app.js")) {}
                @for script in body.scripts {
                    script type="module" src=(assets::address(script)) {}
                }
            }
            body class=(if is_inside { "inside" } else { "outside" }) {
                a.skip href="#main" { (v.t(SKIP)) }
                (bar(v, is_inside))
                @if is_inside { (menu(v, page)) }
                main id="main" tabindex="-1" {
                    (heading(v, body))
                    @if let Some(told) = &v.told {
                        div.note.good role="status" { (Icon::YES.draw()) span { (told) } }
                    }
                    (body.main)
                }
                @if is_inside {
                    footer { (v.t(TIMES)) }
                    (dialogs(v))
                }
            }
        }
    }
}

/// Whether whoever looks is signed in fully.
fn is_inside(v: &Visit) -> bool {
    let member = v.desk.member();
    member.is_some_and(|member| member.session.factor.is_full())
}

fn heading(v: &Visit, body: &Body) -> Markup {
    html! {
        div.heading {
            @if let Some((last, _)) = body.above.last() {
                nav.above aria-label=(v.t(WHERE)) {
                    @for (place, (address, name)) in body.above.iter().enumerate() {
                        @if place > 0 { span aria-hidden="true" { "/" } }
                        a href=(address) data-back[address == last] { (name) }
                    }
                }
            }
            h1 { (body.title) }
        }
    }
}

fn bar(v: &Visit, is_inside: bool) -> Markup {
    html! {
        header.bar {
            a.brand href="/" {
                img src=(assets::address("mark.svg")) width="20" height="20" alt="";
                span { "Paywarden" }
            }
            @if is_inside {
                form.search role="search" method="get" action="/find" {
                    (Icon::SEARCH.draw())
                    input name="q" type="search" aria-label=(v.t(SEARCH)) placeholder=(v.t(SEARCH_HINT)) autocomplete="off" spellcheck="false" data-search="";
                    kbd aria-hidden="true" { "/" }
                }
            }
            div.space {}
            (languages(v))
            @if v.desk.member().is_some() { (person(v)) } @else { (themes(v)) }
        }
    }
}

fn languages(v: &Visit) -> Markup {
    let (other, text) = match v.language() {
        Language::En => (Language::Zh, "中文"),
        Language::Zh => (Language::En, "English"),
    };
    preference(
        v,
        html! {
            button.button.quiet type="submit" name="language" value=(other.name()) lang=(other.tag()) { (text) }
        },
    )
}

fn themes(v: &Visit) -> Markup {
    preference(
        v,
        html! {
            div.choice role="group" aria-label=(v.t(THEME)) {
                @for theme in Theme::ALL {
                    button.button.quiet type="submit" name="theme" value=(theme.name()) aria-pressed=(v.look.theme == theme) {
                        (v.t(theme_word(theme)))
                    }
                }
            }
        },
    )
}

fn theme_word(theme: Theme) -> Word {
    match theme {
        Theme::Auto => THEME_AUTO,
        Theme::Light => THEME_LIGHT,
        Theme::Dark => THEME_DARK,
        Theme::Contrast => THEME_CONTRAST,
    }
}

/// A form that changes how pages look and comes back here.
fn preference(v: &Visit, inside: Markup) -> Markup {
    let here = match v.desk.query() {
        "" => v.desk.path().to_owned(),
        query => format!("{}?{query}", v.desk.path()),
    };
    parts::form(
        v,
        "/preferences",
        html! { (parts::hidden("back", &here)) (inside) },
    )
}

fn person(v: &Visit) -> Markup {
    let member = v.desk.member();
    let name = member
        .map(|member| member.account.name())
        .unwrap_or_default();
    let company = member.map(|member| member.account.tenant.as_str());
    let (keys, turn) = match v.look.keys {
        true => ("off", TURN_OFF),
        false => ("on", TURN_ON),
    };
    html! {
        details.person {
            summary { (Icon::PERSON.draw()) span { (name) } }
            div.sheet {
                p.muted { (company.unwrap_or_default()) }
                a href="/account" { (v.t(ACCOUNT)) }
                a href="/views" { (v.t(views::TITLE)) }
                (themes(v))
                (preference(v, html! {
                    div.line {
                        span { (v.t(SINGLE_KEYS)) }
                        button.button.quiet type="submit" name="keys" value=(keys) { (v.t(turn)) }
                    }
                }))
                (parts::form(v, "/sign-out", html! {
                    button.button type="submit" { (Icon::OUT.draw()) (v.t(SIGN_OUT)) }
                }))
            }
        }
    }
}

/// The places of the menu that are open to whoever looks.
fn places<'v>(v: &'v Visit) -> impl Iterator<Item = (&'static Page, &'static Menu)> + 'v {
    let open = |page: &&Page| {
        page.door == Door::Staff
            && (page.needs.is_empty() || page.needs.iter().any(|scope| v.may(*scope)))
    };
    let open = PAGES.iter().filter(move |page| open(page));
    open.filter_map(|page| Some((page, page.menu.as_ref()?)))
}

fn menu(v: &Visit, current: Option<&Page>) -> Markup {
    let is_current = |page: &Page| current.is_some_and(|one| belongs(one.path, page.path));
    html! {
        nav.side aria-label=(v.t(MENU)) {
            @for group in Group::ALL {
                @let places: Vec<_> = places(v).filter(|(_, menu)| menu.group == group).collect();
                @if !places.is_empty() {
                    div.group {
                        p { (v.t(group_word(group))) }
                        ul {
                            @for (page, menu) in places {
                                li {
                                    a href=(page.path) data-keys=(format!("g {}", menu.key)) aria-current=[is_current(page).then_some("page")] {
                                        (menu.icon.draw())
                                        span { (v.t(menu.word)) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            @if !v.own.views().is_empty() {
                div.group {
                    p { (v.t(views::VIEWS)) }
                    ul { @for view in v.own.views() { li { a href=(view.address()) { span { (view.name) } } } } }
                }
            }
        }
    }
}

/// Whether a page is another one of the menu, or below it.
fn belongs(path: &str, to: &str) -> bool {
    let below = path.strip_prefix(to);
    below.is_some_and(|rest| rest.is_empty() || (to != "/" && rest.starts_with('/')))
}

fn group_word(group: Group) -> Word {
    match group {
        Group::Watch => GROUP_WATCH,
        Group::Decide => GROUP_DECIDE,
        Group::Prove => GROUP_PROVE,
        Group::Run => GROUP_RUN,
    }
}

fn dialogs(v: &Visit) -> Markup {
    let fixed: [(&[&str], Word); 3] = [
        (&["Ctrl", "K"], KEY_PALETTE),
        (&["Enter"], KEY_OPEN),
        (&["Esc"], KEY_BACK),
    ];
    let own = BY_LETTER
        .iter()
        .map(|(usual, word)| (v.own.key(usual), *word));
    let own: Vec<(&str, Word)> = own.filter(|(key, _)| !key.is_empty()).collect();
    html! {
        dialog id="palette" aria-label=(v.t(PALETTE)) {
            input type="text" aria-label=(v.t(PALETTE)) placeholder=(v.t(PALETTE)) autocomplete="off" spellcheck="false";
            ul {}
        }
        dialog id="sheet" aria-label=(v.t(KEYS)) {
            h2 { (v.t(KEYS)) }
            dl.keys {
                @for (keys, word) in fixed {
                    div { dt { @for key in keys { kbd { (key) } } } dd { (v.t(word)) } }
                }
                @for (key, word) in own {
                    div { dt { kbd { (key) } } dd { (v.t(word)) } }
                }
                @for (_, menu) in places(v) {
                    div { dt { kbd { "g" } kbd { (menu.key) } } dd { (v.t(menu.word)) } }
                }
            }
            div.buttons {
                form method="dialog" { (parts::submit(v.t(CLOSE), Tone::Plain)) }
                a.button.quiet href="/views" { (v.t(views::TITLE)) }
            }
        }
    }
}
