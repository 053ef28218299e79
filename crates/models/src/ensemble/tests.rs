//! The walk against hand-made trees, reasons against their sum, Shapley values against their
//! definition.

use super::*;
use crate::random::Random;

/// A random tree over `features`, with all kinds of questions.
fn random_tree(random: &mut Random, features: usize, leaves: usize) -> Tree {
    let leaf = |random: &mut Random| Node::Leaf {
        value: random.below(2_000) as f64 / 1_000.0 - 1.0,
        cover: 1.0 + random.below(50) as f64,
    };
    let mut nodes = vec![leaf(random)];
    let mut open = vec![0];
    while open.len() < leaves {
        let place = open.swap_remove(random.below(open.len()));
        let left = nodes.len() as u32;
        let threshold = random.below(5) as f64;
        nodes[place] = Node::Split(Split {
            feature: random.below(features) as u32,
            test: match random.below(4) {
                0 => Test::In(vec![random.draw() as u32 & 0b11111]),
                1 => Test::Equals(threshold),
                2 => Test::AtMostZeroMissing(threshold),
                _ => Test::AtMost(threshold),
            },
            missing_left: random.below(2) == 0,
            left,
            right: left + 1,
        });
        nodes.extend([leaf(random), leaf(random)]);
        open.extend([left as usize, left as usize + 1]);
    }
    Tree { nodes }
}

fn model(random: &mut Random, features: usize, trees: usize) -> Ensemble {
    let trees = (0..trees).map(|_| {
        let leaves = 1 + random.below(12);
        random_tree(random, features, leaves)
    });
    Ensemble::new(Parts {
        trees: trees.collect(),
        features: (0..features).map(|n| format!("f{n}")).collect(),
        sum: Sum {
            start: 0.25,
            divisor: 2.0,
            end: -1.0,
            arithmetic: Arithmetic::Double,
        },
        link: Link::Identity,
    })
    .unwrap()
}

fn row(random: &mut Random, features: usize) -> Vec<f64> {
    let value = |_| match random.below(7) {
        6 => f64::NAN,
        value => value as f64,
    };
    (0..features).map(value).collect()
}

/// The score of a tree when only some features are known: the others are averaged by cover.
fn expected(model: &Ensemble, at: At, row: &[f64], known: u32) -> f64 {
    if at < 0 {
        return model.leaves[!at as usize];
    }
    let split = &model.splits[at as usize];
    if known >> split.feature & 1 == 1 {
        return expected(model, model.next(split, row), row, known);
    }
    let [one, other] = split.children;
    let value = |side| expected(model, side, row, known) * model.cover_at(side);
    (value(one) + value(other)) / (model.cover_at(one) + model.cover_at(other))
}

/// Shapley values by their definition, over all sets of known features.
fn by_definition(model: &Ensemble, row: &[f64]) -> Vec<f64> {
    let count = row.len() as u32;
    let worth = |known| -> f64 {
        let trees = model.roots.iter();
        trees
            .map(|root| expected(model, *root, row, known))
            .sum::<f64>()
            / model.sum.divisor
    };
    let factorial = |n: u32| (1..=n).map(f64::from).product::<f64>();
    let value = |feature: u32| {
        let without = (0..1u32 << count).filter(|known| known >> feature & 1 == 0);
        let gains = without.map(|known| {
            let size = known.count_ones();
            let weight = factorial(size) * factorial(count - size - 1) / factorial(count);
            weight * (worth(known | 1 << feature) - worth(known))
        });
        gains.sum()
    };
    (0..count).map(value).collect()
}

#[test]
fn shapley_values_are_those_of_the_definition() {
    let mut random = Random::new(5);
    for _ in 0..300 {
        let features = 1 + random.below(6);
        let model = model(&mut random, features, 3);
        let row = row(&mut random, features);
        let mut values = vec![0.0; features];
        let raw = model.shapley(&row, &mut values).unwrap();
        let sum = values.iter().sum::<f64>() + model.mean();
        assert!((sum - raw).abs() < 1e-9, "{sum} {raw}");
        for (found, expected) in values.iter().zip(by_definition(&model, &row)) {
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
    }
}

#[test]
fn reasons_and_mean_add_up_and_parts_come_back() {
    let mut random = Random::new(6);
    for _ in 0..300 {
        let features = 1 + random.below(6);
        let model = model(&mut random, features, 5);
        let again = Ensemble::new(model.parts()).unwrap();
        assert_eq!(again.parts(), model.parts());
        let row = row(&mut random, features);
        let mut reasons = vec![0.0; features];
        let raw = model.explain(&row, &mut reasons).unwrap();
        assert_eq!(raw.to_bits(), model.raw(&row).unwrap().to_bits());
        assert_eq!(raw.to_bits(), again.raw(&row).unwrap().to_bits());
        let sum = reasons.iter().sum::<f64>() + model.mean();
        assert!((sum - raw).abs() < 1e-9, "{sum} {raw}");
    }
}

/// One split, and where each value goes from it.
fn sides(test: Test, missing_left: bool, values: &[f64]) -> String {
    let leaf = |value| Node::Leaf { value, cover: 0.0 };
    let split = Split {
        feature: 0,
        test,
        missing_left,
        left: 1,
        right: 2,
    };
    let model = Ensemble::new(Parts {
        features: vec!["x".into()],
        trees: vec![Tree {
            nodes: vec![Node::Split(split), leaf(1.0), leaf(0.0)],
        }],
        sum: Sum::from(0.0),
        link: Link::Identity,
    })
    .unwrap();
    let side = |value: &f64| {
        if model.raw(&[*value]).unwrap() > 0.5 {
            'l'
        } else {
            'r'
        }
    };
    values.iter().map(side).collect()
}

#[test]
fn questions_send_each_value_where_they_say() {
    let values = [
        f64::NEG_INFINITY,
        -1.0,
        -0.0,
        1e-36,
        2.0,
        2.5,
        f64::INFINITY,
        f64::NAN,
    ];
    assert_eq!(sides(Test::AtMost(2.0), false, &values), "lllllrrr");
    assert_eq!(sides(Test::AtMost(2.0), true, &values), "lllllrrl");
    assert_eq!(
        sides(Test::AtMost(f64::INFINITY), false, &values),
        "lllllllr"
    );
    assert_eq!(
        sides(Test::AtMostZeroMissing(2.0), false, &values),
        "llrrlrrr"
    );
    assert_eq!(
        sides(Test::AtMostZeroMissing(-0.5), true, &values),
        "llllrrrl"
    );
    assert_eq!(sides(Test::Equals(2.0), false, &values), "rrrrlrrr");
    // The whole part counts, as LightGBM cuts it off; above the set nothing is in it.
    assert_eq!(sides(Test::In(vec![0b101]), false, &values), "rrllllrr");
    assert_eq!(sides(Test::In(vec![0b101]), true, &values), "rrllllrl");
}

#[test]
fn a_model_is_bound_to_its_features_by_name_and_order() {
    let model = model(&mut Random::new(1), 3, 1);
    assert!(model.bind(&["f0", "f1", "f2"]).is_ok());
    let refused = |names: &[&str]| model.bind(names).unwrap_err().to_string();
    assert_eq!(
        refused(&["f0", "f2", "f1"]),
        "feature 1 of the model is f1, but f2 is given"
    );
    assert_eq!(
        refused(&["f0", "f1"]),
        "feature 2 of the model is f2, but nothing is given"
    );
    let more = refused(&["f0", "f1", "f2", "f3"]);
    assert_eq!(more, "feature 3 of the model is nothing, but f3 is given");
    let wrong = Error::Row {
        expected: 3,
        found: 2,
    };
    assert_eq!(model.raw(&[0.0; 2]), Err(wrong.clone()));
    assert_eq!(model.explain(&[0.0; 3], &mut [0.0; 2]), Err(wrong.clone()));
    assert_eq!(model.shapley(&[0.0; 3], &mut [0.0; 2]), Err(wrong));
}

/// What is wrong with the nodes of a tree over two features.
fn refusal(nodes: Vec<Node>) -> String {
    let parts = Parts {
        features: vec!["a".into(), "b".into()],
        trees: vec![Tree { nodes }],
        sum: Sum::from(0.0),
        link: Link::Identity,
    };
    Ensemble::new(parts).unwrap_err().to_string()
}

fn asked(feature: u32, threshold: f64, left: u32, right: u32) -> Node {
    Node::Split(Split {
        feature,
        test: Test::AtMost(threshold),
        missing_left: false,
        left,
        right,
    })
}

#[test]
fn trees_that_are_none_are_refused() {
    let leaf = |value, cover| Node::Leaf { value, cover };
    let fine = leaf(1.0, 1.0);
    let twice = "tree 0, node 0: is reached twice: the tree is no tree";
    assert_eq!(refusal(vec![]), "tree 0, node 0: is not there");
    assert_eq!(refusal(vec![asked(0, 1.0, 0, 1), fine.clone()]), twice);
    let shared = refusal(vec![asked(0, 1.0, 1, 1), fine.clone()]);
    assert_eq!(
        shared,
        "tree 0, node 1: is reached twice: the tree is no tree"
    );
    let cut = refusal(vec![asked(0, 1.0, 1, 2), fine.clone()]);
    assert_eq!(cut, "tree 0, node 2: is not there");
    let foreign = refusal(vec![asked(2, 1.0, 1, 2), fine.clone(), fine.clone()]);
    assert_eq!(
        foreign,
        "tree 0, node 0: it asks for a feature that there is not"
    );
    let nan = refusal(vec![asked(0, f64::NAN, 1, 2), fine.clone(), fine.clone()]);
    assert_eq!(nan, "tree 0, node 0: its threshold is no number");
    for value in [f64::NAN, f64::INFINITY, 1e31] {
        let said = refusal(vec![leaf(value, 1.0)]);
        assert_eq!(
            said,
            "tree 0, node 0: its value is no number of a sane size"
        );
    }
    for cover in [f64::NAN, -1.0, f64::INFINITY] {
        let said = refusal(vec![leaf(1.0, cover)]);
        assert_eq!(
            said,
            "tree 0, node 0: its cover is no number of a sane size"
        );
    }
}

#[test]
fn the_deepest_tree_is_walked_and_explained_and_a_deeper_one_refused() {
    let comb = |depth: u32| {
        let asked = (0..depth).flat_map(|level| {
            let place = 2 * level;
            let leaf = Node::Leaf {
                value: f64::from(level),
                cover: 1.0,
            };
            [asked(level % 2, -1.0, place + 1, place + 2), leaf]
        });
        let last = Node::Leaf {
            value: 9.0,
            cover: 1.0,
        };
        asked.chain([last]).collect::<Vec<_>>()
    };
    let parts = Parts {
        features: vec!["a".into(), "b".into()],
        trees: vec![Tree {
            nodes: comb(limits::DEPTH_MAX as u32),
        }],
        sum: Sum::from(0.0),
        link: Link::Identity,
    };
    let model = Ensemble::new(parts).unwrap();
    let mut values = [0.0; 2];
    let raw = model.shapley(&[5.0, 5.0], &mut values).unwrap();
    assert!((raw - 9.0).abs() < 1e-12);
    assert!((values.iter().sum::<f64>() + model.mean() - raw).abs() < 1e-6);
    let deeper = refusal(comb(limits::DEPTH_MAX as u32 + 1));
    assert!(deeper.ends_with("lies too deep"), "{deeper}");
    assert!(refusal(comb(100_000)).ends_with("lies too deep"));
}
